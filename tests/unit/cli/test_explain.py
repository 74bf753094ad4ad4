"""`distxml explain`: pictures of the right size and value, names that do not collide, nothing half-written."""

import json
import re
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import ExifTags, Image
from torch import nn
from typer.testing import CliRunner

from distxml.cli.main import app
from distxml.config.evaluation import EvaluationSettings
from distxml.config.phases import PhaseName
from distxml.config.run_folder import RunFolder
from distxml.data.rows import Sample, collate, decode_image
from distxml.errors import UserError
from distxml.explain import explain_images, output_names
from distxml.files import published_together
from distxml.models.checkpoint import LoadedModel, load_model, save_model
from distxml.monitoring.overlay import overlay
from tests.flip_a_byte import flip_a_byte
from tests.unit.evaluation.small_model import SIZE, small_model, small_recipe

HEAT = 0.4
HEIGHT, WIDTH = 50, 70


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return _save_run(tmp_path_factory.mktemp("run"), small_model())


def _save_run(folder: Path, loaded: LoadedModel) -> RunFolder:
    recipe = small_recipe(folder, EvaluationSettings())
    run = RunFolder(recipe.run_folder)
    checkpoint = run.checkpoint(PhaseName.JOINT, "last")
    checkpoint.mkdir(parents=True)
    run.config.write_text(recipe.model_dump_json())
    save_model(checkpoint, loaded.model, loaded.card)
    return run


def _write_image(path: Path, seed: int = 0, size: tuple[int, int] = (HEIGHT, WIDTH)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)
    _, encoded = cv2.imencode(path.suffix, pixels)
    path.write_bytes(encoded.tobytes())
    return path


def _read(path: Path) -> np.ndarray:
    """Pixels as they are in the file; colours as RGB."""
    pixels = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_UNCHANGED)
    assert pixels is not None
    return pixels[..., ::-1] if pixels.ndim == 3 else pixels


def _constant_heat(loaded: LoadedModel) -> LoadedModel:
    """The same model with an explainer that says `HEAT` everywhere."""
    nn.init.zeros_(loaded.model.explainer.normalize.weight)
    nn.init.constant_(loaded.model.explainer.normalize.bias, float(np.arctanh(HEAT)))
    return loaded


def test_constant_heat_is_that_gray_everywhere(tmp_path: Path):
    run = _save_run(tmp_path, _constant_heat(small_model()))
    image = _write_image(tmp_path / "photo.png")
    explained = explain_images(run, [image], tmp_path / "out", "last")
    heatmap, blended = _read(tmp_path / "out" / "photo.heatmap.png"), _read(tmp_path / "out" / "photo.overlay.png")
    assert heatmap.shape == (HEIGHT, WIDTH) and heatmap.dtype == np.uint8
    assert (heatmap == round(255 * HEAT)).all()
    assert (blended == overlay(_read(image), np.full((HEIGHT, WIDTH), HEAT))).all()
    assert explained.images[0].mean_heat == pytest.approx(HEAT)


def test_values_are_those_of_the_model(run: RunFolder, tmp_path: Path):
    image = _write_image(tmp_path / "photo.png", size=SIZE)  # no resizing on the way in or out
    explain_images(run, [image], tmp_path / "out", "last")
    loaded = load_model(run.checkpoint(PhaseName.JOINT, "last"))
    pixels = decode_image(image.read_bytes(), SIZE, "photo")
    with torch.inference_mode():
        output = loaded.model(collate([Sample("photo", 0, pixels, None)]).image)
    entry = json.loads((tmp_path / "out" / "explanations.json").read_text())["images"][0]
    expected = output.logits[0].double().softmax(0)
    assert list(entry["probabilities"]) == list(loaded.card.classes)
    assert list(entry["probabilities"].values()) == pytest.approx(expected.tolist())
    assert entry["predicted"] == loaded.card.classes[int(expected.argmax())]
    assert entry["mean_heat"] == pytest.approx(float(output.heatmap.mean()))
    heat = output.heatmap[0, 0].numpy()
    assert heat.std() > 0.01  # or the next line would prove little
    assert np.abs(_read(tmp_path / "out" / "photo.heatmap.png") - 255.0 * heat).max() <= 0.5 + 1e-3


@pytest.mark.parametrize("name", ["model.safetensors", "model.json"])
def test_a_damaged_checkpoint_explains_nothing(run: RunFolder, tmp_path: Path, name: str):
    copied = RunFolder(Path(shutil.copytree(run.path, tmp_path / "run")))
    flip_a_byte(copied.checkpoint(PhaseName.JOINT, "last") / name)
    with pytest.raises(UserError, match=rf"joint/last: {name} is not what was written.*; copy the checkpoint again"):
        explain_images(copied, [_write_image(tmp_path / "photo.png")], tmp_path / "out", "last")
    assert not (tmp_path / "out").exists()


def test_same_names_from_different_folders_are_kept_apart(run: RunFolder, tmp_path: Path):
    images = [_write_image(tmp_path / folder / "scan.png", seed) for seed, folder in enumerate(("a", "b", "c"))]
    images.append(_write_image(tmp_path / "a" / "scan-2.png", 3))
    explained = explain_images(run, images, tmp_path / "out", "last")
    files = [one.heatmap for one in explained.images] + [one.overlay for one in explained.images]
    assert len(set(files)) == 8
    assert {path.name for path in (tmp_path / "out").iterdir()} == {*files, "explanations.json"}
    assert [one.file for one in explained.images] == [str(image) for image in images]
    assert explained.images[3].heatmap == "scan-2.heatmap.png"
    for image, one in zip(images, explained.images, strict=True):
        alone = explain_images(run, [image], tmp_path / "alone", "last").images[0]
        assert one.probabilities == alone.probabilities
        assert (_read(tmp_path / "out" / one.heatmap) == _read(tmp_path / "alone" / alone.heatmap)).all()


@given(stems=st.lists(st.sampled_from(["a", "A", "a-2", "a-3", "b", "a-2-2", "ß", "ss"]), max_size=12))
def test_names_never_collide_even_where_case_does_not_count(stems: list[str]):
    names = output_names([Path(f"{index}/{stem}.png") for index, stem in enumerate(stems)])
    assert len({name.casefold() for name in names}) == len(stems)
    firsts = [stems.index(stem) for stem in stems]
    unique = [stem for stem in stems if sum(stem.casefold() == other.casefold() for other in stems) == 1]
    assert all(names[firsts[stems.index(stem)]] == stem for stem in unique)


@pytest.mark.parametrize("name", ["two words.png", 'quote\'s "here".jpg', "Zürich 東京.png", "[red]x.png", "-o.png"])
def test_awkward_file_names(run: RunFolder, tmp_path: Path, name: str):
    image = _write_image(tmp_path / name)
    explain_images(run, [image], tmp_path / "out", "last")
    index = json.loads((tmp_path / "out" / "explanations.json").read_text(encoding="utf-8"))
    assert index["images"][0]["file"] == str(image)
    assert _read(tmp_path / "out" / f"{image.stem}.overlay.png").shape == (HEIGHT, WIDTH, 3)


@pytest.mark.parametrize("content", [b"", b"not an image", None])
def test_one_bad_image_and_nothing_is_written(run: RunFolder, tmp_path: Path, content: bytes | None):
    good, bad = _write_image(tmp_path / "good.png"), tmp_path / "bad.png"
    bad.write_bytes(good.read_bytes()[:-50] if content is None else content)
    with pytest.raises(
        UserError, match=r"image .*bad\.png: (empty file|cannot be decoded).*; replace it or leave it out"
    ):
        explain_images(run, [good, bad], tmp_path / "out", "last")
    assert {path.name for path in tmp_path.iterdir()} == {"good.png", "bad.png"}


def test_missing_image_and_folder_are_named(run: RunFolder, tmp_path: Path):
    with pytest.raises(UserError, match=r"gone\.png: cannot be read \(No such file"):
        explain_images(run, [tmp_path / "gone.png"], tmp_path / "out", "last")
    with pytest.raises(UserError, match="is a folder"):
        explain_images(run, [tmp_path], tmp_path / "out", "last")
    assert list(tmp_path.iterdir()) == []


def test_an_earlier_explanation_survives_a_failure(run: RunFolder, tmp_path: Path):
    image, out = _write_image(tmp_path / "photo.png"), tmp_path / "out"
    explain_images(run, [image], out, "last")
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    image.write_bytes(b"broken")
    with pytest.raises(UserError):
        explain_images(run, [image], out, "last")
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_an_image_is_never_overwritten(run: RunFolder, tmp_path: Path):
    images = [_write_image(tmp_path / name) for name in ("cat.png", "cat.heatmap.png")]
    before = [image.read_bytes() for image in images]
    with pytest.raises(UserError, match=r"cat\.heatmap\.png: is one of the images"):
        explain_images(run, images, tmp_path, "last")
    assert [image.read_bytes() for image in images] == before


def test_output_that_cannot_be_written_is_named(run: RunFolder, tmp_path: Path):
    image = _write_image(tmp_path / "photo.png")
    (tmp_path / "out").write_text("a file")
    with pytest.raises(UserError, match="out: cannot be written"):
        explain_images(run, [image], tmp_path / "out", "last")
    assert {path.name for path in tmp_path.iterdir()} == {"photo.png", "out"}


def test_a_gray_image_is_that_colour(run: RunFolder, tmp_path: Path):
    for name, shape in (("gray.png", (9, 9)), ("colour.png", (9, 9, 3))):
        (tmp_path / name).write_bytes(cv2.imencode(".png", np.full(shape, 7, np.uint8))[1].tobytes())
    images = [tmp_path / name for name in ("gray.png", "colour.png")]
    first, second = explain_images(run, images, tmp_path / "out", "last").images
    assert first.probabilities == second.probabilities


@pytest.mark.parametrize(("rule", "background"), [("white", 255), ("black", 0)])
def test_transparent_pixels_are_what_they_were_in_the_dataset(tmp_path: Path, rule: str, background: int):
    """A cut-out, as editors save it: black below what is transparent."""
    loaded = small_model()
    images = loaded.card.images.model_copy(update={"alpha": rule})
    run = _save_run(tmp_path, LoadedModel(loaded.model, loaded.card.model_copy(update={"images": images})))
    pixels = np.random.default_rng(0).integers(0, 256, (*SIZE, 3), dtype=np.uint8)
    alpha = np.where(np.arange(SIZE[1]) < SIZE[1] // 2, 0, 255).astype(np.uint8) * np.ones((*SIZE, 1), np.uint8)[..., 0]
    Image.fromarray(np.dstack([pixels * (alpha[..., None] > 0), alpha])).save(tmp_path / "cut out.png")
    Image.fromarray(np.where(alpha[..., None] > 0, pixels, np.uint8(background))).save(tmp_path / "laid.png")
    first, second = explain_images(
        run, [tmp_path / "cut out.png", tmp_path / "laid.png"], tmp_path / "out", "last"
    ).images
    assert first.probabilities == second.probabilities
    assert (_read(tmp_path / "out" / first.overlay) == _read(tmp_path / "out" / second.overlay)).all()


def test_what_the_dataset_left_out_is_refused(tmp_path: Path):
    loaded = small_model()
    images = loaded.card.images.model_copy(update={"alpha": "leave_out"})
    run = _save_run(tmp_path, LoadedModel(loaded.model, loaded.card.model_copy(update={"images": images})))
    Image.new("RGBA", (9, 9), (1, 2, 3, 0)).save(tmp_path / "clear.png")
    with pytest.raises(UserError, match=r"clear\.png: transparent pixels; .*holds no such image; replace it"):
        explain_images(run, [tmp_path / "clear.png"], tmp_path / "out", "last")
    assert not (tmp_path / "out").exists()


def test_a_photograph_is_turned_upright(run: RunFolder, tmp_path: Path):
    upright = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6  # to be shown turned by 90 degrees clockwise
    Image.fromarray(np.rot90(upright)).save(tmp_path / "turned.png", exif=exif)
    Image.fromarray(upright).save(tmp_path / "upright.png")
    images = [tmp_path / "turned.png", tmp_path / "upright.png"]
    turned, expected = explain_images(run, images, tmp_path / "out", "last").images
    assert turned.probabilities == expected.probabilities
    for one, other in ((turned.heatmap, expected.heatmap), (turned.overlay, expected.overlay)):
        assert (_read(tmp_path / "out" / one) == _read(tmp_path / "out" / other)).all()


def test_an_image_of_16_bits_is_refused(run: RunFolder, tmp_path: Path):
    deep = tmp_path / "deep.png"
    deep.write_bytes(cv2.imencode(".png", np.full((9, 9), 4095, np.uint16))[1].tobytes())
    with pytest.raises(UserError, match=r"deep\.png: more than 8 bits per channel: .*; replace it or leave it out"):
        explain_images(run, [deep], tmp_path / "out", "last")


@pytest.mark.parametrize("name", ["bad\udcff.png", "two\nlines.png", "red\x1b[31m.png"])
def test_names_that_cannot_be_printed_are_refused_in_one_line(run: RunFolder, tmp_path: Path, name: str):
    (tmp_path / name).write_bytes(_write_image(tmp_path / "good.png").read_bytes())
    with pytest.raises(UserError, match="characters that cannot be printed; rename it") as caught:
        explain_images(run, [tmp_path / "good.png", tmp_path / name], tmp_path / "out", "last")
    assert str(caught.value).isprintable()
    assert not (tmp_path / "out").exists()


def test_a_folder_that_is_no_text_can_be_written_to(run: RunFolder, tmp_path: Path):
    explained = explain_images(run, [_write_image(tmp_path / "a.png")], tmp_path / "o\udcff", "last")
    assert json.loads(explained.index.read_text())["images"][0]["heatmap"] == "a.heatmap.png"


def test_a_failure_leaves_no_folder_that_it_made(run: RunFolder, tmp_path: Path):
    with pytest.raises(UserError):
        explain_images(run, [tmp_path / "gone.png"], tmp_path / "deep" / "er" / "out", "last")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("blocked", ["b.overlay.png", "explanations.json"])
def test_a_target_that_is_a_folder_leaves_everything_as_it_was(run: RunFolder, tmp_path: Path, blocked: str):
    images = [_write_image(tmp_path / name) for name in ("a.png", "b.png")]
    (tmp_path / "out" / blocked).mkdir(parents=True)
    (tmp_path / "out" / "a.heatmap.png").write_text("of another day")
    with pytest.raises(UserError, match=rf"{blocked} is a folder there"):
        explain_images(run, images, tmp_path / "out", "last")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {blocked, "a.heatmap.png"}
    assert (tmp_path / "out" / "a.heatmap.png").read_text() == "of another day"


def test_a_failure_half_way_through_puts_everything_back(tmp_path: Path):
    """The file that comes last was never written, so that moving it fails when the others have moved."""
    for name in ("a", "list"):
        (tmp_path / name).write_text("before")
    with pytest.raises(FileNotFoundError), published_together(tmp_path, "list") as staging:
        (staging / "a").write_text("after")
        (staging / "b").write_text("after")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a": "before", "list": "before"}


def test_missing_checkpoint_is_named(run: RunFolder, tmp_path: Path):
    image = _write_image(tmp_path / "photo.png")
    with pytest.raises(UserError, match="no checkpoint best_loss of the joint phase"):
        explain_images(run, [image], tmp_path / "out", "best_loss")
    with pytest.raises(UserError, match=r"no config\.json"):
        explain_images(RunFolder(tmp_path / "nothing"), [image], tmp_path / "out", "last")


def test_model_that_is_not_finite_explains_nothing(tmp_path: Path):
    loaded = small_model()
    nn.init.constant_(loaded.model.explainer.normalize.bias, float("nan"))
    run = _save_run(tmp_path, loaded)
    with pytest.raises(UserError, match=r"photo\.png: the model's output is not finite"):
        explain_images(run, [_write_image(tmp_path / "photo.png")], tmp_path / "out", "last")
    assert not (tmp_path / "out").exists()


def test_command_prints_a_table_and_writes_into_the_current_folder(
    run: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    image = _write_image(tmp_path / "[red]x.png")
    result = CliRunner().invoke(app, ["explain", str(run.path), image.name], env={"COLUMNS": "200"})
    assert result.exit_code == 0, result.output
    entry = json.loads((tmp_path / "explanations" / "explanations.json").read_text())["images"][0]
    line = next(line for line in result.output.splitlines() if image.name in line)
    assert entry["predicted"] in line
    assert f"{max(entry['probabilities'].values()):.3f}" in line
    assert result.output.splitlines()[-1] == "explanations/explanations.json"


@pytest.mark.parametrize("command", ["explain", "report"])
def test_help_ends_with_an_example(command: str):
    output = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "200"}).output
    assert re.search(rf"Example: distxml {command} runs/\w+", output)
