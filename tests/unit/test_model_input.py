"""A user's own image file has the pixels that it has in the dataset, to the bit, whatever kind of file it is."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from distxml.config.dataset import DatasetRecipe
from distxml.data.reader import SplitReader
from distxml.data.rows import collate, decode
from distxml.data.schema import SPLITS, open_dataset
from distxml.model_input import read_image
from distxml.models.checkpoint import LoadedModel, save_model
from distxml.sources.building.build import build_dataset
from tests.unit.evaluation.small_model import SIZE, small_model

KINDS = ("jpeg", "grey", "palette", "alpha", "opaque", "deep", "cmyk")
RULES = {"alpha": "black", "sixteen_bit": "scale"}
DOCS = Path(__file__).parents[2] / "docs"


def write_images(folder: Path) -> None:
    """Of every kind, three of different sizes; all of noise."""
    generator = np.random.default_rng(0)
    for number, (height, width) in enumerate(((40, 57), (21, 32), (33, 33))):
        rgb = Image.fromarray(generator.integers(0, 256, (height, width, 3), dtype=np.uint8))
        alpha = Image.fromarray(generator.integers(0, 256, (height, width), dtype=np.uint8))
        deep = Image.fromarray(generator.integers(0, 65536, (height, width), dtype=np.uint16))
        clear = rgb.copy()
        clear.putalpha(alpha)
        opaque = rgb.copy()
        opaque.putalpha(255)
        for kind, image, suffix in (
            ("jpeg", rgb, "jpg"),
            ("grey", rgb.convert("L"), "png"),
            ("palette", rgb.convert("P"), "png"),
            ("alpha", clear, "png"),
            ("opaque", opaque, "png"),
            ("deep", deep, "png"),
            ("cmyk", rgb.convert("CMYK"), "jpg"),
        ):
            (folder / kind).mkdir(exist_ok=True)
            image.save(folder / kind / f"{kind}-{number}.{suffix}")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kinds")
    (folder / "images").mkdir()
    write_images(folder / "images")
    recipe = {
        "name": "kinds",
        "source": {"kind": "folders", "folder": str(folder / "images")},
        "images": RULES,
        "splits": {"train": 0.4, "val": 0.2, "test": 0.4},
    }
    build_dataset(DatasetRecipe.model_validate(recipe), folder / "dataset")
    return folder


@pytest.fixture(scope="module")
def loaded(folder: Path) -> LoadedModel:
    """A model that was trained on that dataset."""
    model = small_model()
    rules = open_dataset(str(folder / "dataset")).metadata.image_rules()
    assert (rules.alpha, rules.sixteen_bit) == ("black", "scale")
    return LoadedModel(model.model, model.card.model_copy(update={"images": rules}))


def test_every_kind_of_file_is_what_it_is_in_the_dataset(folder: Path, loaded: LoadedModel):
    dataset = open_dataset(str(folder / "dataset"))
    found: dict[str, torch.Tensor] = {}
    for split in SPLITS:
        reader = SplitReader(dataset, split)
        for row in reader.rows_at(range(len(reader))):
            found[Path(row.key).stem] = collate([decode(row, SIZE)]).image
    files = sorted((folder / "images").glob("*/*"))
    assert len(files) == len(found) == 3 * len(KINDS)
    for file in files:
        image = read_image(file, loaded.card)
        assert image.batch.shape == (1, 3, *SIZE)
        assert torch.equal(image.batch, found[file.stem]), file.name
        with Image.open(file) as original:
            assert image.pixels.shape == (original.height, original.width, 3)


@pytest.mark.parametrize("gating", ["recompute", "white"])
def test_the_classifier_is_gated_as_it_was_trained(folder: Path, loaded: LoadedModel, gating: str):
    own = LoadedModel(loaded.model, loaded.card.model_copy(update={"gating": gating}))
    image = read_image(folder / "images" / "jpeg" / "jpeg-0.jpg", loaded.card)
    with torch.inference_mode():
        expected = loaded.model(image.batch, "white" if gating == "white" else None)
        assert torch.equal(own.output(image.batch).logits, expected.logits)
        other = loaded.model(image.batch, None if gating == "white" else "white")
    assert not torch.equal(expected.logits, other.logits)


def test_the_pages_lines_of_python_run(folder: Path, loaded: LoadedModel, monkeypatch: pytest.MonkeyPatch):
    checkpoint = folder / "runs" / "NAME" / "checkpoints" / "joint" / "last"
    checkpoint.mkdir(parents=True)
    save_model(checkpoint, loaded.model, loaded.card)
    (folder / "photo.jpg").write_bytes((folder / "images" / "jpeg" / "jpeg-0.jpg").read_bytes())
    (code,) = re.findall(r"```python\n(.*?)```", (DOCS / "data.md").read_text(), re.DOTALL)
    names: dict[str, object] = {}
    monkeypatch.chdir(folder)
    exec(code, names)
    output = names["output"]
    assert output.logits.shape == (1, 2) and output.heatmap.shape == (1, 1, *SIZE)  # pyright: ignore[reportAttributeAccessIssue]
