"""What is refused before anything starts."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from distxml.config import Recipe, load_settings
from distxml.config.images import ImageRules
from distxml.data.rows import Row
from distxml.data.schema import Split, open_dataset
from distxml.errors import UserError
from distxml.training.preflight import check_dataset, model_card, reading_bound
from tests.small_dataset import noise_row, write_dataset


def recipe(folder: Path, *overrides: str) -> Recipe:
    return load_settings(Recipe, "polygons", [f"dataset.path={folder}", *overrides])


def rows() -> dict[Split, list[Row]]:
    return {
        "train": [noise_row(number) for number in range(40)],
        "val": [noise_row(number) for number in range(40, 60)],
        "test": [noise_row(number) for number in range(60, 70)],
    }


@pytest.mark.parametrize("split", ["train", "test"])
def test_an_image_that_comes_twice_is_refused(tmp_path: Path, split: Split) -> None:
    content = rows()
    content[split].append(content["train"][3])
    write_dataset(tmp_path / "d", content)
    with pytest.raises(UserError, match=rf"the key 'row-00003' is in train and comes again in {split}"):
        check_dataset(recipe(tmp_path / "d"))


def test_a_patient_in_two_splits_is_refused(tmp_path: Path) -> None:
    content = rows()
    for split in ("train", "test"):
        content[split][0] = replace(content[split][0], group="patient 7")
    write_dataset(tmp_path / "d", content)
    with pytest.raises(UserError, match="images of the group 'patient 7' are in train and in test, so that its scores"):
        check_dataset(recipe(tmp_path / "d"))


def test_the_card_has_the_rules_that_the_images_were_built_by(tmp_path: Path) -> None:
    write_dataset(tmp_path / "d", rows())
    metadata = json.loads((tmp_path / "d/dataset.json").read_text())
    assert model_card(recipe(tmp_path / "d"), open_dataset(tmp_path / "d")).images == ImageRules(), "it says nothing"
    metadata["recipe"] = {"images": {"alpha": "black"}}
    (tmp_path / "d/dataset.json").write_text(json.dumps(metadata))
    assert model_card(recipe(tmp_path / "d"), open_dataset(tmp_path / "d")).images == ImageRules(alpha="black")


def test_a_cache_that_is_a_file_is_refused(tmp_path: Path) -> None:
    write_dataset(tmp_path / "d", rows())
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match=r"dataset\.cache=.*file: is not a folder"):
        check_dataset(recipe(tmp_path / "d", f"dataset.cache={tmp_path / 'file'}"))


def test_the_bound_on_memory_counts_both_splits(tmp_path: Path) -> None:
    write_dataset(tmp_path / "d", rows())
    fits = reading_bound(recipe(tmp_path / "d", "scaling.workers=1"), open_dataset(tmp_path / "d"))
    assert fits.images == 40 + 20
    streamed = recipe(tmp_path / "d", "scaling.workers=2", "loader.shuffle_buffer=4", "loader.batch_size=2")
    bound = reading_bound(streamed, open_dataset(tmp_path / "d"))
    assert bound.images == 1 * (2 + 3 * 3) + 2 * 3  # a stream of blocks of 2 and groups of 3; val in order
    files = sum(path.stat().st_size for path in (tmp_path / "d").rglob("*.parquet"))
    assert bound.bytes == pytest.approx(files / 70 * bound.images, rel=0.01)
