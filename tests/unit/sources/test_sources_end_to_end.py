"""Every source of files, built from a small tree to a dataset that is read back."""

import csv
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest

from distxml.config import DatasetRecipe, load_settings
from distxml.config.base import Settings
from distxml.config.dataset import SplitSettings
from distxml.config.sources import FoldersSource, ManifestSource
from distxml.data.schema import SPLITS
from distxml.errors import UserError
from distxml.sources.building.build import build_dataset
from distxml.sources.building.splits import split_sizes
from tests.unit.sources.coco_folder import make_coco_folder
from tests.unit.sources.hvz_trees import make_flat_tree, make_imagenet_tree
from tests.unit.sources.nih_tree import make_nih_tree
from tests.unit.sources.pictures import IMAGE_BOX, mask_of, write_image, write_mask

PATIENTS = 16


def class_folders(root: Path) -> FoldersSource:
    """Patients of three images; with masks."""
    for patient in range(PATIENTS):
        for image in range(3):
            name = f"{'cat' if patient % 2 else 'dog'}/P{patient}_{image}"
            write_image(root / "images" / f"{name}.png")
            write_mask(root / "masks" / f"{name}.png")
    where = {"folder": root / "images", "masks": root / "masks", "group_pattern": r"^(P\d+)_"}
    return FoldersSource.model_validate({"kind": "folders", **where})


def manifest(root: Path) -> ManifestSource:
    """The same patients, with boxes; the first patient of each class is published as test."""
    lines = ["image,label,boxes,split,group"]
    box = " ".join(map(str, IMAGE_BOX))
    for patient in range(PATIENTS):
        for image in range(3):
            write_image(root / f"{patient}_{image}.png")
            split, label = ("test" if patient < 2 else ""), ("cat" if patient % 2 else "dog")
            lines.append(f"{patient}_{image}.png,{label},{box},{split},P{patient}")
    (root / "manifest.csv").write_text("\n".join(lines) + "\n")
    return ManifestSource.model_validate({"kind": "manifest", "table": root / "manifest.csv"})


SOURCES: dict[str, Callable[[Path], Settings]] = {
    "imagenet_hvz": lambda root: make_imagenet_tree(root).settings(),
    "imagenet_hvz_flat": lambda root: make_flat_tree(root).settings(),
    "nih_nci": lambda root: make_nih_tree(root, PATIENTS, images=3).settings(),
    "coco": lambda root: make_coco_folder(root).settings(),
    "folders": class_folders,
    "manifest": manifest,
}
GROUPED = {"nih_nci": lambda key: key[:-1].split("IMG")[1], "folders": lambda key: key.split("/")[1].split("_")[0]}
GROUPED["manifest"] = lambda key: key.split("_")[0]


def built(kind: str, root: Path) -> dict[str, list[dict[str, object]]]:
    """The rows of each split."""
    source = SOURCES[kind](root / "raw").model_dump()
    recipe = DatasetRecipe.model_validate({"name": kind, "source": source})
    dataset = build_dataset(recipe, root / "out").dataset
    assert (root / "out" / "rejected.csv").read_text().strip() == "file,reason"
    return {
        split: [row for shard in dataset.shards(split) for row in pq.read_table(root / "out" / shard.file).to_pylist()]
        for split in SPLITS
    }


@pytest.mark.parametrize("kind", SOURCES)
def test_every_image_once_with_its_mask_and_its_patient_in_one_split(kind: str, tmp_path: Path) -> None:
    rows = built(kind, tmp_path)
    keys = [str(row["key"]) for split in SPLITS for row in rows[split]]
    assert len(keys) == len(set(keys)) == {"nih_nci": 48, "folders": 48, "manifest": 48}.get(kind, 12)
    for split in SPLITS:
        assert {row["label"] for row in rows[split]} == {0, 1}
        for row in rows[split]:
            mask = row["mask"]
            assert isinstance(mask, dict)
            pixels = cv2.imdecode(np.frombuffer(mask["bytes"], np.uint8), cv2.IMREAD_UNCHANGED)
            assert pixels is not None and np.array_equal(pixels, mask_of(IMAGE_BOX))
    if kind in GROUPED:
        patients = [{GROUPED[kind](str(row["key"])) for row in rows[split]} for split in SPLITS]
        assert sum(map(len, patients)) == len(set.union(*patients)) == PATIENTS
        groups = [{row["group"] for row in rows[split]} for split in SPLITS]  # as the dataset keeps them
        assert list(map(len, groups)) == list(map(len, patients))
        assert len(set.union(*groups)) == PATIENTS
    else:
        assert {row["group"] for split in SPLITS for row in rows[split]} == {None}


def test_what_cannot_be_used_is_in_the_list(tmp_path: Path) -> None:
    tree = make_nih_tree(tmp_path / "raw", PATIENTS, images=3)
    first, second, third = sorted((tmp_path / "raw" / "CVT").glob("*0.jpg"))[:3]
    write_mask(first.with_name(f"{first.stem}_mask.jpg"), size=(8, 8))
    second.write_bytes(second.read_bytes()[:200])
    third.with_name(f"{third.stem}_mask.jpg").write_bytes(b"no image")
    recipe = DatasetRecipe.model_validate({"name": "nih", "source": tree.settings().model_dump()})
    dataset = build_dataset(recipe, tmp_path / "out").dataset
    assert sum(dataset.metadata.rows(split) for split in SPLITS) == 45
    with (tmp_path / "out" / "rejected.csv").open(newline="") as file:
        told = {row["file"]: row["reason"] for row in csv.DictReader(file)}
    assert set(told) == {f"CVT/{path.name}" for path in (first, second, third)}
    assert told[f"CVT/{first.name}"] == f"mask CVT/{first.stem}_mask.jpg has 8x8 pixels, but the image has 24x16"
    assert told[f"CVT/{third.name}"].startswith(f"mask CVT/{third.stem}_mask.jpg cannot be decoded")


def test_a_published_split_is_kept(tmp_path: Path) -> None:
    rows = built("manifest", tmp_path)
    assert {"0_0", "0_1", "0_2", "1_0", "1_1", "1_2"} <= {row["key"] for row in rows["test"]}


@pytest.mark.parametrize("name", ["imagenet_hvz", "imagenet_hvz_flat"])
def test_the_shares_of_hvz_give_the_published_numbers(name: str) -> None:
    """324 horses and 345 zebras, 100 of them for testing, 20 % (rounded up) of the other 569 for validation."""
    splits: SplitSettings = load_settings(DatasetRecipe, name, [], shelf="datasets").splits
    shares = [splits.train, splits.val, splits.test]
    assert np.add(split_sizes(324, shares), split_sizes(345, shares)).tolist() == [455, 114, 100]


def test_a_manifest_most_of_whose_images_are_missing_is_refused(tmp_path: Path) -> None:
    settings = manifest(tmp_path / "raw")
    gone = sorted((tmp_path / "raw").glob("*.png"))[: 2 * PATIENTS]  # two of three
    for path in gone:
        path.unlink()
    recipe = DatasetRecipe.model_validate({"name": "m", "source": settings.model_dump()})
    with pytest.raises(UserError, match=r"\(66\.7%\) cannot be used, more than .*=0\.5: no such file"):
        build_dataset(recipe, tmp_path / "out")
    assert not (tmp_path / "out").exists()
