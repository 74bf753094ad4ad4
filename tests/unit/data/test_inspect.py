import json
from collections.abc import Iterable, Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from distxml.config import DatasetRecipe
from distxml.data.contact_sheet import LONGEST_SIDE, TINT, with_mask, write_contact_sheet
from distxml.data.inspect import EXAMPLES, Inspection, inspect_dataset
from distxml.data.rows import Row
from distxml.data.schema import Dataset, Split, open_dataset
from distxml.errors import UserError
from distxml.sources.build import build_dataset


def silently(splits: Sequence[Split], _: str) -> Iterable[Split]:
    return splits


def inspected(dataset: Dataset) -> Inspection:
    return inspect_dataset(dataset, silently)


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    source = {"kind": "polygons", "images": 40, "image_size": 32, "positive_share": 0.25}
    recipe = DatasetRecipe.model_validate({"name": "small", "source": source, "rows_per_shard": 16})
    return build_dataset(recipe, tmp_path / "set").dataset


def png(pixels: np.ndarray) -> bytes:
    file = BytesIO()
    Image.fromarray(pixels).save(file, format="PNG")
    return file.getvalue()


def half_masked_row(key: str = "a") -> Row:
    image, mask = np.zeros((20, 40, 3), np.uint8), np.zeros((20, 40), np.uint8)
    mask[:, :20] = 255
    return Row(key, png(image), png(mask), 0)


def test_counts_sizes_and_masks(dataset: Dataset) -> None:
    found = inspected(dataset)
    assert found.widths == found.heights == [32] * 40
    assert len(found.coverage) == 40
    assert found.empty_masks == 30
    assert found.left_out == 0
    assert found.copies == []
    assert {label: len(rows) for label, rows in found.examples.items()} == {0: EXAMPLES, 1: EXAMPLES}
    positive = [share for share in found.coverage if share]
    assert len(positive) == 10
    assert 0 < min(positive) <= max(positive) < 0.3


def test_a_changed_shard_is_named(dataset: Dataset) -> None:
    path = dataset.folder / dataset.metadata.shards[1].file
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(UserError, match=rf"{path}: this shard was changed"):
        inspected(dataset)


def test_metadata_that_contradicts_the_shards(dataset: Dataset) -> None:
    path = dataset.folder / "dataset.json"
    metadata = json.loads(path.read_text())
    metadata["counts"]["val"]["circles"] += 1
    path.write_text(json.dumps(metadata))
    with pytest.raises(UserError, match="counts of val"):
        inspected(open_dataset(dataset.folder))


def test_a_key_that_comes_twice(dataset: Dataset) -> None:
    path = dataset.folder / "dataset.json"
    metadata = json.loads(path.read_text())
    metadata["shards"].append(metadata["shards"][0])
    path.write_text(json.dumps(metadata))
    with pytest.raises(UserError, match="two rows have the key"):
        inspected(open_dataset(dataset.folder))


def test_left_out_is_not_known_without_the_list(dataset: Dataset) -> None:
    (dataset.folder / "rejected.csv").unlink()
    assert inspected(dataset).left_out is None


def test_the_tint_is_where_the_mask_is() -> None:
    picture = with_mask(half_masked_row())
    assert picture.shape == (LONGEST_SIDE // 2, LONGEST_SIDE, 3)
    assert np.all(picture[10:-10, : LONGEST_SIDE // 2 - 5].any(axis=2))
    assert not picture[:, LONGEST_SIDE // 2 + 5 :].any()
    assert tuple(picture[50, LONGEST_SIDE // 2 - 1]) == TINT


def test_a_mask_of_another_size_is_refused() -> None:
    row = half_masked_row()
    wrong = Row(row.key, row.image, png(np.zeros((5, 5), np.uint8)), 0)
    with pytest.raises(UserError, match="mask of a: not an image of 40x20 pixels"):
        with_mask(wrong)


def test_contact_sheet_is_a_png_whatever_the_names(tmp_path: Path) -> None:
    unannotated = Row(r"$\frac{", half_masked_row().image, None, 0)
    sheet = tmp_path / "sheet.png"
    write_contact_sheet({0: [half_masked_row("k" * 99), unannotated]}, [r"$x_$"], sheet)
    with Image.open(sheet) as image:
        image.load()
        assert image.format == "PNG"
        assert len(image.convert("RGB").getcolors(1 << 20) or []) > 10
    assert [path.name for path in tmp_path.iterdir()] == ["sheet.png"]


def test_a_sheet_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="name a file with --out"):
        write_contact_sheet({0: [half_masked_row()]}, ["a"], tmp_path / "nowhere" / "sheet.png")
