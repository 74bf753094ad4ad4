import hashlib
import json
import shutil
import struct
from collections.abc import Iterable, Sequence
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from distxml.cli.data_summary import copies_warning
from distxml.config import DatasetRecipe
from distxml.data.contact_sheet import MAX_SIDE, TINT, with_mask, write_contact_sheet
from distxml.data.digest import index_digest, rows_digest
from distxml.data.inspect import EXAMPLES, Inspection, image_size, inspect_dataset
from distxml.data.rows import EncodedRows, Row
from distxml.data.schema import ROW_SCHEMA, SPLITS, Dataset, Split, open_dataset
from distxml.errors import UserError
from distxml.sources.building.build import build_dataset
from tests.small_dataset import noise_row, write_dataset


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


def place(dataset: Dataset) -> Path:
    """The dataset's folder."""
    assert dataset.folder.local is not None
    return dataset.folder.local


def test_a_changed_shard_is_named(dataset: Dataset) -> None:
    path = place(dataset) / dataset.metadata.shards[1].file
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(UserError, match=rf"{path}: this shard was changed"):
        inspected(dataset)


def test_metadata_that_contradicts_the_shards(dataset: Dataset) -> None:
    path = place(dataset) / "dataset.json"
    metadata = json.loads(path.read_text())
    metadata["counts"]["val"]["circles"] += 1
    metadata["counts"]["val"]["triangle"] -= 1
    path.write_text(json.dumps(metadata))
    with pytest.raises(UserError, match="counts of val"):
        inspected(open_dataset(place(dataset)))


def test_groups_are_counted_and_never_in_two_splits(tmp_path: Path) -> None:
    rows: dict[Split, list[Row]] = {split: [] for split in SPLITS}
    for number in range(21):
        split = SPLITS[number // 7]
        rows[split].append(replace(noise_row(number), group=f"{split} {number % 7 // 3}"))
    write_dataset(tmp_path / "d", rows)
    inspected(open_dataset(tmp_path / "d"))
    path = tmp_path / "d/dataset.json"
    metadata = json.loads(path.read_text())
    assert metadata["groups"] == dict.fromkeys(SPLITS, 3)
    for stated in ({"train": 3, "val": 2, "test": 3}, None):
        path.write_text(json.dumps(metadata | {"groups": stated}))
        with pytest.raises(UserError, match=r"groups of (val|train) are (2|none), but the shards hold 3"):
            inspected(open_dataset(tmp_path / "d"))
    rows["test"][0] = replace(rows["test"][0], group="val 1")
    write_dataset(tmp_path / "d", rows)
    with pytest.raises(UserError, match="images of the group 'val 1' are in val and in test"):
        inspected(open_dataset(tmp_path / "d"))


def test_a_key_that_comes_twice(dataset: Dataset) -> None:
    path = place(dataset) / "dataset.json"
    metadata = json.loads(path.read_text())
    shard = metadata["shards"][0]
    shutil.copy(path.with_name(shard["split"]) / Path(shard["file"]).name, path.with_name("again.parquet"))
    metadata["shards"].append(shard | {"file": "again.parquet"})
    metadata["counts"][shard["split"]]["circles"] += shard["rows"]
    path.write_text(json.dumps(metadata))
    with pytest.raises(UserError, match="two rows have the key"):
        inspected(open_dataset(place(dataset)))


def test_left_out_is_not_known_without_the_list(dataset: Dataset) -> None:
    (place(dataset) / "rejected.csv").unlink()
    assert inspected(dataset).left_out is None


def bitmap(width: int, height: int) -> bytes:
    """A BMP that promises more pixels than it holds."""
    header = b"BM" + struct.pack("<IHHI", 200, 0, 0, 54)
    return header + struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0) + bytes(300)


@pytest.mark.parametrize("image", [b"", b"no image", bitmap(40000, 40000)], ids=["empty", "garbage", "absurd size"])
def test_an_image_that_is_none_is_named(image: bytes) -> None:
    with pytest.raises(UserError, match="image a: does not decode"):
        image_size(Row("a", image, None, 0))


@pytest.mark.parametrize("mask", [b"", b"no image", bitmap(1100000, 1)], ids=["empty", "garbage", "absurd size"])
def test_a_mask_that_is_none_is_named(mask: bytes) -> None:
    with pytest.raises(UserError, match="mask of a: does not decode"):
        with_mask(Row("a", half_masked_row().image, mask, 0))


def test_copies_across_splits_of_a_dataset_made_elsewhere(dataset: Dataset) -> None:
    """A builder that does not look for copies: the same images, under other keys, in train and in test."""
    metadata = json.loads((place(dataset) / "dataset.json").read_text())
    shard = next(shard for shard in metadata["shards"] if shard["split"] == "test")
    table = pq.read_table(place(dataset) / shard["file"])
    copied = table.set_column(0, ROW_SCHEMA.field("key"), pa.array([f"copy-{key}" for key in table["key"].to_pylist()]))
    pq.write_table(copied.cast(ROW_SCHEMA), place(dataset) / "copies.parquet")
    folder, name = place(dataset), "copies.parquet"
    checksum = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    rows = list(EncodedRows(pq.read_table(folder / name)))
    note = {"file": name, "split": "train", "sha256": checksum}
    note |= {
        "index_sha256": index_digest(*([getattr(row, name) for row in rows] for name in ("key", "label", "group")))
    }
    note |= {"groups": [{"rows": len(rows), "sha256": rows_digest(rows)}]}
    metadata["shards"].append(shard | note)
    for name, number in metadata["counts"]["test"].items():
        metadata["counts"]["train"][name] += number
    (place(dataset) / "dataset.json").write_text(json.dumps(metadata))
    found = inspected(open_dataset(place(dataset)))
    assert sorted(found.copies) == sorted((f"copy-{key}", key) for key in table["key"].to_pylist())
    (warning,) = copies_warning(found.copies)
    assert warning.startswith(f"WARNING: {len(found.copies)} image(s) are bit-for-bit copies")
    assert f"copy-{found.copies[0][1]}" in warning


def test_a_warning_shows_keys_that_cannot_be_printed_escaped() -> None:
    (warning,) = copies_warning([("a\x1b[31m", "b\nc")])
    assert "a\\x1b[31m = b\\nc" in warning and warning.isprintable()


def damaged(metadata: dict[str, Any], damage: str) -> None:
    train = metadata["counts"]["train"]
    match damage:
        case "no split":
            del metadata["counts"]["val"]
        case "no class":
            del train["circles"]
        case "negative":
            train["circles"] = -1
        case "NUL":
            metadata["shards"][0]["file"] = "train/\0.parquet"
        case "long":
            metadata["shards"][0]["file"] = "x" * 300
        case "rows":
            metadata["shards"][0]["rows"] = -1
        case "exchanged":
            metadata["classes"].reverse()
        case "twice":
            metadata["shards"].append(metadata["shards"][0])
            metadata["counts"][metadata["shards"][0]["split"]]["circles"] += metadata["shards"][0]["rows"]
        case "sum":
            train["circles"] += 1
        case "annotated":
            metadata["annotated"]["val"] = 99
        case "escape":
            metadata["classes"][0] = "\x1b[31mred"
            train["\x1b[31mred"] = train.pop("circles")


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ("no split", r"counts\.val does not name every class"),
        ("no class", r"counts\.train does not name every class"),
        ("negative", r"counts\.train\.circles: .*greater than or equal to 0"),
        ("NUL", r"shards\.0\.file: String should match"),
        ("long", r"shards\.0\.file: String should have at most"),
        ("rows", r"shards\.0\.rows: .*greater than or equal to 0"),
        ("twice", r"shards names a file twice"),
        ("sum", r"counts\.train does not add up to the \d+ rows of its shards"),
        ("annotated", r"annotated\.val is more than the \d+ rows of its shards"),
        ("exchanged", r"classes triangle, circles are not those it was built with"),
        ("escape", r"the name '\\x1b\[31mred' holds characters that cannot be printed"),
    ],
)
def test_wrong_metadata_is_one_line_with_its_field_and_cause(dataset: Dataset, damage: str, words: str) -> None:
    path = place(dataset) / "dataset.json"
    metadata = json.loads(path.read_text())
    damaged(metadata, damage)
    path.write_text(json.dumps(metadata))
    with pytest.raises(UserError, match=words) as caught:
        open_dataset(place(dataset))
    assert str(caught.value).startswith(f"{path}: ") and str(caught.value).isprintable()


def test_a_folder_that_cannot_be_asked_for(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        open_dataset(tmp_path / ("x" * 300))


def test_the_tint_is_where_the_mask_is() -> None:
    picture = with_mask(half_masked_row())
    assert picture.shape == (MAX_SIDE // 2, MAX_SIDE, 3)
    assert np.all(picture[10:-10, : MAX_SIDE // 2 - 5].any(axis=2))
    assert not picture[:, MAX_SIDE // 2 + 5 :].any()
    assert tuple(picture[50, MAX_SIDE // 2 - 1]) == TINT


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
