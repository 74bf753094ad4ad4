from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from distxml.config.sources import FoldersSource
from distxml.errors import UserError
from distxml.sources.files import SUFFIXES
from distxml.sources.folders import folders_material
from distxml.sources.material import RawMaterial, untracked
from tests.unit.sources.outcome import file_items, item_of, keys, mask_in, reasons
from tests.unit.sources.pictures import IMAGE_BOX, mask_of, write_image, write_mask


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Two images of each of the classes cat and dog."""
    for name in ("cat/a.jpg", "cat/b.png", "dog/a.jpg", "dog/c.bmp"):
        write_image(tmp_path / "images" / name)
    return tmp_path / "images"


def material(images: Path, **changes: object) -> RawMaterial:
    settings = FoldersSource.model_validate({"kind": "folders", "folder": images} | changes)
    return folders_material(settings, untracked)


def test_classes_keys_and_labels(images: Path) -> None:
    found = material(images)
    assert found.classes == ("cat", "dog")
    assert [(item.key, item.name, item.label) for item in found.items] == [
        ("cat/a", "cat/a.jpg", 0),
        ("cat/b", "cat/b.png", 0),
        ("dog/a", "dog/a.jpg", 1),
        ("dog/c", "dog/c.bmp", 1),
    ]
    assert all(item.region is item.group is item.split is None for item in file_items(found))


def test_classes_asked_for_in_their_order(images: Path) -> None:
    write_image(images / "bird" / "x.jpg")
    found = material(images, classes=["dog", "cat"])
    assert found.classes == ("dog", "cat")
    assert keys(found) == ["cat/a", "cat/b", "dog/a", "dog/c"]
    assert item_of(found, "dog/a").label == 0
    with pytest.raises(UserError, match="no folder fish; folders found: bird, cat, dog"):
        material(images, classes=["cat", "fish"])
    with pytest.raises(ValidationError, match="comes twice"):
        material(images, classes=["cat", "cat"])


def test_folders_below_a_class_and_groups(images: Path) -> None:
    for name in ("cat/P1/x.jpg", "cat/P2/x.jpg", "dog/P1/y.jpg"):
        write_image(images / name)
    assert "cat/P1/x" in keys(material(images))
    found = material(images, group_pattern=r"^(P\d+)/")
    assert [(item.key, item.group) for item in found.items] == [
        ("cat/P1/x", "P1"),
        ("cat/P2/x", "P2"),
        ("dog/P1/y", "P1"),
    ]
    assert reasons(found)["cat/a.jpg"].startswith("source.group_pattern '^(P\\\\d+)/' is not found in 'a.jpg'")


@pytest.mark.parametrize("pattern", ["(", "P1", "(a)(b)"])
def test_a_pattern_that_cannot_name_a_group(images: Path, pattern: str) -> None:
    with pytest.raises(ValidationError, match=r"parentheses|regular expression"):
        material(images, group_pattern=pattern)


def make_splits(root: Path, splits: Sequence[str] = ("train", "val", "test")) -> Path:
    for split in splits:
        for name in ("cat", "dog"):
            write_image(root / split / name / "a.jpg")
    return root


def test_split_folders(tmp_path: Path) -> None:
    found = material(make_splits(tmp_path / "images"), split_folders=True)
    assert found.classes == ("cat", "dog")
    assert {item.key: (item.split, item.label) for item in found.items} == {
        f"{split}/{name}/a": (split, label)
        for split in ("train", "val", "test")
        for label, name in enumerate(found.classes)
    }


def test_split_folders_are_not_taken_for_classes_nor_forgotten(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"splits, not classes; set source\.split_folders=true"):
        material(make_splits(tmp_path / "all"))
    with pytest.raises(UserError, match=r"no folder .*test; add it"):
        material(make_splits(tmp_path / "two", ("train", "val")), split_folders=True)
    without_val = material(make_splits(tmp_path / "no val", ("train", "test")), split_folders=True)
    assert {item.split for item in without_val.items} == {"train", "test"}
    with pytest.raises(UserError, match="'valid' is none of train, val, test"):
        material(make_splits(tmp_path / "other", ("train", "val", "test", "valid")), split_folders=True)


def test_masks_in_a_folder_of_their_own(images: Path) -> None:
    masks = images.parent / "masks"
    write_mask(masks / "cat" / "a.png")
    write_mask(masks / "dog" / "c.png", (0, 0, 5, 5))
    write_mask(masks / "dog" / "nobody.png")
    found = material(images, masks=masks)
    assert np.array_equal(mask_in(item_of(found, "cat/a")), mask_of(IMAGE_BOX))
    assert np.array_equal(mask_in(item_of(found, "dog/c")), mask_of((0, 0, 5, 5)))
    assert item_of(found, "cat/b").region is None
    assert reasons(found) == {"masks/dog/nobody.png": "no image belongs to this mask"}
    left_out = material(images, masks=masks, missing_mask="leave_out")
    assert keys(left_out) == ["cat/a", "dog/c"]
    assert reasons(left_out)["cat/b.png"] == "no mask belongs to it"
    with pytest.raises(UserError, match=r"cat/b\.png: no mask belongs to it"):
        material(images, masks=masks, missing_mask="fail")


def test_masks_beside_the_images_are_no_images(images: Path) -> None:
    write_mask(images / "cat" / "a_mask.png")
    write_mask(images / "dog" / "nobody_mask.png")
    found = material(images, mask_suffix="_mask")
    assert keys(found) == ["cat/a", "cat/b", "dog/a", "dog/c"]
    assert np.array_equal(mask_in(item_of(found, "cat/a")), mask_of(IMAGE_BOX))
    assert reasons(found) == {"dog/nobody_mask.png": "no image belongs to this mask"}


def test_masks_with_a_suffix_in_a_folder_of_their_own(images: Path) -> None:
    masks = images.parent / "masks"
    write_mask(masks / "cat" / "a_seg.png")
    write_mask(masks / "cat" / "b.png")
    found = material(images, masks=masks, mask_suffix="_seg")
    assert [item.key for item in file_items(found) if item.region] == ["cat/a"]
    assert reasons(found) == {"masks/cat/b.png": "not a mask: its name does not end in '_seg'"}


def test_masks_that_contradict(images: Path) -> None:
    write_mask(images / "cat" / "a_mask.png")
    write_mask(images / "cat" / "a_mask.bmp")
    with pytest.raises(UserError, match=r"cat/a_mask\.bmp and cat/a_mask\.png are for one image"):
        material(images, mask_suffix="_mask")
    with pytest.raises(UserError, match=r"source\.masks: .* lie in one another"):
        material(images, masks=images / "cat")


def test_what_is_left_out(images: Path) -> None:
    secret = write_image(images.parent / "secret" / "x.jpg")
    (images / "cat" / "out.jpg").symlink_to(secret)
    (images / "cat" / "folder").symlink_to(secret.parent)
    (images / "cat" / "within.jpg").symlink_to(images / "dog" / "a.jpg")
    (images / "cat" / "notes.txt").write_text("hello")
    (images / "cat" / ".hidden.jpg").write_text("hello")
    (images / ".cache").mkdir()
    (images / "readme.txt").write_text("hello")
    write_image(images / "cat" / "new\nline.jpg")
    found = material(images)
    assert keys(found) == ["cat/a", "cat/b", "cat/within", "dog/a", "dog/c"]
    link = "a link to a folder or out of images; links like that are not followed"
    assert reasons(found) == {
        "cat/out.jpg": link,
        "cat/folder": link,
        "cat/notes.txt": f"not an image file ({' '.join(SUFFIXES)})",
        "cat/new\nline.jpg": "the file's name holds characters that cannot be printed",
    }


def test_names_with_spaces_quotes_and_other_alphabets(images: Path) -> None:
    for name in ("it's a cat", 'the "cat"', "кот", "a.b"):
        write_image(images / "cat" / f"{name}.jpg")
    assert {f"cat/{name}" for name in ("it's a cat", 'the "cat"', "кот", "a.b")} <= set(keys(material(images)))


def test_what_stops_the_build(images: Path) -> None:
    write_image(images / "cat" / "a.png")
    with pytest.raises(UserError, match=r"cat/a\.jpg and cat/a\.png would both have the key 'cat/a'"):
        material(images)
    (images / "cat" / "a.png").unlink()
    (images / "bird").mkdir()
    with pytest.raises(UserError, match="no image in the class folder 'bird'"):
        material(images)
    assert material(images, classes=["cat", "dog"]).classes == ("cat", "dog")
    with pytest.raises(UserError, match="no class folder"):
        material(images / "bird")
    with pytest.raises(UserError, match=r"source\.folder: no such folder"):
        material(images / "nowhere")
    (images / "bird").rmdir()
    (images / "bird").symlink_to(images.parent)
    with pytest.raises(UserError, match="bird: a link that leads out of"):
        material(images)
