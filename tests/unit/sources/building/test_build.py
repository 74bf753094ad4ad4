import csv
import errno
import struct
from pathlib import Path

import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest

from distxml.config import DatasetRecipe
from distxml.data.schema import ROW_SCHEMA, SPLITS, open_dataset
from distxml.errors import UserError
from distxml.sources.building.build import BuildOptions, build_dataset
from distxml.sources.building.workspace import folder_in_making
from tests.unit.sources.voc_folder import VocFolder, annotation_xml, object_xml


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
        for shard in built.dataset.shards(split):
            table = pq.read_table(tmp_path / "deep" / "out" / shard.file)
            assert table.schema == ROW_SCHEMA
            assert table.num_rows == shard.rows
            keys += table["key"].to_pylist()
    assert sorted(keys) == [f"polygons-{index:06d}" for index in range(30)]
    assert (tmp_path / "deep" / "out" / "rejected.csv").read_bytes() == b"file,reason\n"
    assert (tmp_path / "deep" / "out" / "converted.csv").read_bytes() == b"file,remark\n"
    assert names(tmp_path / "deep" / "out") == [
        "converted.csv",
        "dataset.json",
        "rejected.csv",
        "test",
        "train",
        "val",
    ]
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


def test_a_failed_build_keeps_what_is_done_and_nothing_else(tmp_path: Path) -> None:
    for name, contents in (("kept", ["half"]), ("gone", [])):
        with pytest.raises(RuntimeError, match="broken"), folder_in_making(tmp_path / name) as making:
            for content in contents:
                (making / content).write_text(content)
            raise RuntimeError("broken")
    assert names(tmp_path) == [".kept.distxml-building"]


def test_unfinished_files_are_not_worth_keeping_and_what_is_kept_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"^broken$"), folder_in_making(tmp_path / "gone") as making:
        (making / "train").mkdir()
        (making / "train" / ".00000.parquet.7.unfinished").write_text("half")
        raise UserError("broken")
    with pytest.raises(UserError) as caught, folder_in_making(tmp_path / "kept") as making:
        (making / "shard").write_text("whole")
        raise UserError("broken")
    assert str(caught.value) == f"broken; what is done is kept in {tmp_path / '.kept.distxml-building'}"
    assert names(tmp_path) == [".kept.distxml-building"]


def test_what_cannot_be_gone_on_with_is_not_kept(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"^broken$"), folder_in_making(tmp_path / "out", "distxml-export") as making:
        assert making == tmp_path / ".out.distxml-export"
        (making / "image").write_text("whole")
        raise UserError("broken")
    assert names(tmp_path) == []


def test_a_file_that_cannot_be_read_is_named_and_not_the_target(tmp_path: Path) -> None:
    missing = tmp_path / "raw" / "gone.jpg"
    with pytest.raises(UserError) as caught, folder_in_making(tmp_path / "out"):
        missing.read_bytes()
    assert str(caught.value) == f"{missing}: No such file or directory; mend that and give the same command again"


@pytest.mark.parametrize("name", ["out/shard", None])
def test_a_full_disk_asks_for_room(tmp_path: Path, name: str | None) -> None:
    expected = r"cannot be written \(No space left on device\); make room"
    with pytest.raises(UserError, match=expected), folder_in_making(tmp_path / "out"):
        raise OSError(errno.ENOSPC, "No space left on device", name)


def test_what_came_to_be_there_meanwhile_is_left_alone(tmp_path: Path) -> None:
    expected = r"out: exists now.* what is done is kept in "
    with pytest.raises(UserError, match=expected), folder_in_making(tmp_path / "out") as making:
        (making / "shard").write_text("ours")
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "theirs").write_text("theirs")
    assert names(tmp_path / "out") == ["theirs"]


def test_a_build_that_another_one_overtook_does_nothing(voc: VocFolder, tmp_path: Path) -> None:
    """The other one is done while this one still reads the annotations."""
    done: list[dict[Path, int]] = []

    def overtake(elements, description):
        if not done:
            build_dataset(voc.recipe(), tmp_path / "out")
            done.append({path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*")})
        assert description == "reading annotations"
        return elements

    assert not build_dataset(voc.recipe(), tmp_path / "out", BuildOptions(track=overtake)).anew
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*")} == done[0]
    assert names(tmp_path) == ["out", "voc"]


@pytest.mark.parametrize("place", ["images/out", "annotations/deep/../out", "link/out"])
def test_a_place_inside_the_source_is_refused(voc: VocFolder, tmp_path: Path, place: str) -> None:
    (voc.root / "link").symlink_to(voc.images)
    with pytest.raises(UserError, match=r"lies inside source\.(images|annotations)=.*; name a folder outside"):
        build_dataset(voc.recipe(), voc.root / place)
    assert not list(tmp_path.rglob("*out*"))
    assert build_dataset(voc.recipe(), voc.root / "out").anew


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
    assert 'cat0.png,"more than 8 bits per channel' in (tmp_path / "out/rejected.csv").read_text()


def test_a_header_that_promises_absurd_dimensions_is_left_out(voc: VocFolder, tmp_path: Path) -> None:
    header = (
        b"BM"
        + struct.pack("<IHHI", 200, 0, 0, 54)
        + struct.pack("<IiiHHIIiiII", 40, 1100000, 1, 1, 24, 0, 0, 0, 0, 0, 0)
    )
    (voc.images / "cat0.jpg").unlink()
    (voc.images / "cat0.bmp").write_bytes(header + bytes(3300000))
    build_dataset(voc.recipe(), tmp_path / "out")
    assert "cat0.bmp,1100000x1 pixels: no side may be longer" in (tmp_path / "out/rejected.csv").read_text()


def left_out(folder: Path) -> list[dict[str, str]]:
    with (folder / "rejected.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_too_much_left_out_stops_the_build_with_a_list(voc: VocFolder, tmp_path: Path) -> None:
    for name in ("cat0", "cat1", "dog0"):
        (voc.images / f"{name}.jpg").write_bytes(b"")
    (voc.images / "dog1.jpg").write_bytes(b"garbage")
    (voc.images / "dog2.jpg").write_bytes((voc.images / "dog3.jpg").read_bytes())
    voc.add_image("lonely.jpg")  # not counted: no XML belongs to it
    with pytest.raises(UserError, match=r"5 of 8 images \(62.5%\).*max_left_out=0.5: empty file \(3\)") as caught:
        build_dataset(voc.recipe(), tmp_path / "out")
    making = tmp_path / ".out.distxml-building"
    assert str(making / "rejected.csv") in str(caught.value)
    assert len(left_out(making)) == 6
    assert not (tmp_path / "out").exists()
    for name, box in (
        ("cat8", (1, 2, 20, 15)),
        ("cat9", (1, 2, 20, 15)),
        ("dog8", (1, 2, 3, 4)),
        ("dog9", (1, 2, 3, 4)),
    ):
        voc.add(name, object_xml(name[:3], box))
    build_dataset(voc.recipe(), tmp_path / "out")
    assert len(left_out(tmp_path / "out")) == 6


def test_odd_names_come_through(voc: VocFolder, tmp_path: Path) -> None:
    odd = ["with space", 'quo"te', "o'clock, and comma", "żółw", "=1+1", "%41"]
    for stem in odd:
        voc.add(stem, object_xml("cat"))
    voc.add_image("ne\nw.jpg")
    voc.add_image("emp ty.jpg").write_bytes(b"")
    voc.add_xml("emp ty", annotation_xml(object_xml("cat")))
    built = build_dataset(voc.recipe(), tmp_path / "out")
    tables = [pq.read_table(tmp_path / "out" / shard.file) for split in SPLITS for shard in built.dataset.shards(split)]
    assert set(odd) <= {key for table in tables for key in table["key"].to_pylist()}
    assert {entry["file"] for entry in left_out(tmp_path / "out")} == {"ne\nw.jpg", "emp ty.jpg"}


def test_an_unreadable_file_stops_the_build_and_is_named(voc: VocFolder, tmp_path: Path) -> None:
    """Linux's file of a process's memory stands in for it: nobody can read its first bytes, whoever runs the test."""
    (voc.images / "cat0.jpg").unlink()
    (voc.images / "cat0.jpg").symlink_to("/proc/self/mem")
    with pytest.raises(UserError, match=r"cat0\.jpg: cannot be read"):
        build_dataset(voc.recipe(), tmp_path / "out")


def test_one_image_of_a_class_is_named(voc: VocFolder, tmp_path: Path) -> None:
    voc.add("bird", object_xml("bird"))
    kept = rf"; what is done is kept in {tmp_path}/\.out\.distxml-building$"
    with pytest.raises(UserError, match=f"class 'bird': 1 usable image.*{kept}"):
        build_dataset(voc.recipe(), tmp_path / "out")


def test_images_are_converted_and_listed(voc: VocFolder, tmp_path: Path) -> None:
    (voc.images / "cat0.jpg").rename(voc.images / "cat0.png")
    voc.add("grey", object_xml("dog"), ".bmp")
    build_dataset(voc.recipe(), tmp_path / "out")
    listed = (tmp_path / "out" / "converted.csv").read_text()
    assert listed == 'file,remark\ncat0.png,"named .png, but is JPEG"\ngrey.bmp,BMP saved as PNG\n'
