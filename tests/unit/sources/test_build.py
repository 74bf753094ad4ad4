import csv
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest

from distxml.config import DatasetRecipe
from distxml.data.schema import ROW_SCHEMA, SPLITS, open_dataset
from distxml.errors import UserError
from distxml.sources.build import build_dataset
from distxml.sources.workspace import folder_in_making
from tests.unit.sources.voc_folder import VocFolder, object_xml


def polygons(images: int = 30, seed: int = 0, rows_per_shard: int = 8) -> DatasetRecipe:
    source = {"kind": "polygons", "images": images, "image_size": 16}
    return DatasetRecipe.model_validate(
        {"name": "small", "seed": seed, "source": source, "rows_per_shard": rows_per_shard}
    )


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def parquet_bytes(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.parquet"))}


def test_what_is_on_disk(tmp_path: Path) -> None:
    built = build_dataset(polygons(), tmp_path / "deep" / "out")
    assert built.anew
    metadata = open_dataset(tmp_path / "deep" / "out").metadata
    assert metadata.counts == {
        "train": {"circles": 10, "triangle": 10},
        "val": {"circles": 3, "triangle": 3},
        "test": {"circles": 2, "triangle": 2},
    }
    assert metadata.annotated == {"train": 20, "val": 6, "test": 4}
    assert [shard.rows for shard in metadata.shards if shard.split == "train"] == [8, 8, 4]
    assert metadata.recipe == polygons().model_dump(mode="json")
    keys = []
    for split in SPLITS:
        for path, shard in built.dataset.shards(split):
            table = pq.read_table(path)
            assert table.schema == ROW_SCHEMA
            assert table.num_rows == shard.rows
            keys += table["key"].to_pylist()
    assert sorted(keys) == [f"polygons-{index:06d}" for index in range(30)]
    assert (tmp_path / "deep" / "out" / "rejected.csv").read_bytes() == b"file,reason\n"
    assert names(tmp_path / "deep") == ["out"]


def test_same_recipe_same_bytes_other_seed_other_bytes(tmp_path: Path) -> None:
    for name, recipe in {"one": polygons(), "two": polygons(), "other": polygons(seed=1)}.items():
        build_dataset(recipe, tmp_path / name)
    assert parquet_bytes(tmp_path / "one") == parquet_bytes(tmp_path / "two")
    assert parquet_bytes(tmp_path / "one") != parquet_bytes(tmp_path / "other")
    metadata = [(tmp_path / name / "dataset.json").read_bytes() for name in ("one", "two")]
    assert metadata[0] == metadata[1]


def test_building_again_does_nothing(tmp_path: Path) -> None:
    build_dataset(polygons(), tmp_path / "out")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*")}
    assert not build_dataset(polygons(), tmp_path / "out").anew
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*")} == before


def test_another_recipe_in_the_place_is_refused(tmp_path: Path) -> None:
    build_dataset(polygons(), tmp_path / "out")
    before = parquet_bytes(tmp_path / "out")
    with pytest.raises(UserError, match=r"another recipe \(differs in seed, source.images\)"):
        build_dataset(polygons(images=40, seed=2), tmp_path / "out")
    assert parquet_bytes(tmp_path / "out") == before


def test_a_users_folder_or_file_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("precious")
    (tmp_path / "file").write_text("precious")
    for name in ("mine", "file"):
        with pytest.raises(UserError, match="exists and is not a dataset"):
            build_dataset(polygons(), tmp_path / name)
    assert (tmp_path / "mine" / "thesis.txt").read_text() == (tmp_path / "file").read_text() == "precious"


def test_an_empty_folder_is_a_free_place(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    assert build_dataset(polygons(), tmp_path / "out").anew


def test_a_killed_build_leaves_nothing_under_the_name_and_the_next_one_succeeds(tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = [sys.executable, "-m", "tests.unit.sources.build_many", str(out)]
    process = subprocess.Popen(command)
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob(".out*/train/00001.parquet")):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not out.exists()
    assert names(tmp_path) == [".out.distxml-building"]
    build_dataset(polygons(), out)
    assert names(tmp_path) == ["out"]
    assert len(parquet_bytes(out)) == len(open_dataset(out).metadata.shards)


def test_a_failed_build_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="broken"), folder_in_making(tmp_path / "out") as making:
        (making / "half").write_text("half")
        raise RuntimeError("broken")
    assert names(tmp_path) == []


def test_two_builds_of_one_folder_keep_apart(tmp_path: Path) -> None:
    with folder_in_making(tmp_path / "out") as making:
        (making / "shard").write_text("of the first")
        with pytest.raises(UserError, match="another process is building it"):
            build_dataset(polygons(), tmp_path / "out")
        assert (making / "shard").read_text() == "of the first"
    assert (tmp_path / "out" / "shard").exists()


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be written"):
        build_dataset(polygons(), tmp_path / "file" / "out")


@pytest.mark.parametrize("name", ["o\udcff", "o\nut"])
def test_a_place_whose_name_cannot_be_printed(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match="cannot be printed; choose another") as caught:
        build_dataset(polygons(), tmp_path / name)
    assert str(caught.value).isprintable()
    assert names(tmp_path) == []


@pytest.mark.parametrize("images", [1, 4])
def test_too_few_images_of_a_class(tmp_path: Path, images: int) -> None:
    with pytest.raises(UserError, match="needs one"):
        build_dataset(polygons(images=images), tmp_path / "out")
    assert names(tmp_path) == []


def test_voc_lists_what_was_left_out(voc: VocFolder, tmp_path: Path) -> None:
    voc.add_image("lonely.jpg")
    voc.add("both", object_xml("cat") + object_xml("dog"))
    built = build_dataset(voc.recipe(), tmp_path / "out")
    assert sum(built.dataset.metadata.rows(split) for split in SPLITS) == 8
    assert built.dataset.metadata.counts["val"] == {"cat": 1, "dog": 1}
    with (tmp_path / "out" / "rejected.csv").open(newline="") as file:
        rejected = list(csv.DictReader(file))
    assert rejected == [
        {"file": "both.jpg", "reason": "objects of several classes: cat, dog"},
        {"file": "lonely.jpg", "reason": "no XML belongs to it"},
    ]


def test_the_remedy_for_a_box_outside_works(voc: VocFolder, tmp_path: Path) -> None:
    voc.add("big", object_xml("cat", (-3, 0, 500, 20)))
    with pytest.raises(UserError, match=r"source\.box_outside_image=clip"):
        build_dataset(voc.recipe(), tmp_path / "out")
    assert not (tmp_path / "out").exists()
    build_dataset(voc.recipe(box_outside_image="clip"), tmp_path / "out")
    without = build_dataset(voc.recipe(box_outside_image="leave_out"), tmp_path / "without")
    assert sum(without.dataset.metadata.rows(split) for split in SPLITS) == 8


def test_no_image_left_and_a_single_class(voc: VocFolder, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="the only class is 'cat'"):
        build_dataset(voc.recipe(classes=["cat"]), tmp_path / "out")
    for path in voc.images.iterdir():
        path.write_bytes(b"")
    with pytest.raises(UserError, match=r"8 left out, such as cat0.jpg \(empty file\)"):
        build_dataset(voc.recipe(), tmp_path / "out")


def test_copies_are_left_out_but_for_one(voc: VocFolder, tmp_path: Path) -> None:
    (voc.images / "cat3.jpg").write_bytes((voc.images / "cat0.jpg").read_bytes())
    built = build_dataset(voc.recipe(), tmp_path / "out")
    assert sum(built.dataset.metadata.rows(split) for split in SPLITS) == 7
    assert "cat3.jpg,a bit-for-bit copy of cat0.jpg" in (tmp_path / "out/rejected.csv").read_text()


def test_copies_of_different_classes_are_all_left_out(voc: VocFolder, tmp_path: Path) -> None:
    (voc.images / "dog3.jpg").write_bytes((voc.images / "cat0.jpg").read_bytes())
    build_dataset(voc.recipe(), tmp_path / "out")
    rejected = (tmp_path / "out/rejected.csv").read_text()
    assert rejected.count("equal files of different classes: cat0.jpg, dog3.jpg") == 2


def test_images_of_16_bits_are_left_out(voc: VocFolder, tmp_path: Path) -> None:
    (voc.images / "cat0.jpg").unlink()
    cv2.imwrite(str(voc.images / "cat0.png"), np.full((20, 30), 4095, np.uint16))
    build_dataset(voc.recipe(), tmp_path / "out")
    assert "cat0.png,more than 8 bits a channel" in (tmp_path / "out/rejected.csv").read_text()


def test_a_header_that_promises_absurd_dimensions_is_left_out(voc: VocFolder, tmp_path: Path) -> None:
    header = (
        b"BM"
        + struct.pack("<IHHI", 200, 0, 0, 54)
        + struct.pack("<IiiHHIIiiII", 40, 1100000, 1, 1, 24, 0, 0, 0, 0, 0, 0)
    )
    (voc.images / "cat0.jpg").unlink()
    (voc.images / "cat0.bmp").write_bytes(header + bytes(3300000))
    build_dataset(voc.recipe(), tmp_path / "out")
    assert "cat0.bmp,cannot be decoded" in (tmp_path / "out/rejected.csv").read_text()
