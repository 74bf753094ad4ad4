from pathlib import Path
from typing import Any

import numpy as np
import pytest

from distxml.errors import UserError
from distxml.sources.coco.source import coco_material
from distxml.sources.material import RawMaterial, Unusable, untracked
from tests.oracles.outlines import compress, inside_polygon, run_lengths
from tests.unit.sources import outcome
from tests.unit.sources.coco_folder import BOX, CocoFolder, make_coco_folder
from tests.unit.sources.outcome import file_items, item_of, keys, mask_in, reasons
from tests.unit.sources.pictures import HEIGHT, IMAGE_BOX, WIDTH, mask_of, write_image

ZEBRA, HORSE, BRUSH = 24, 19, 90


@pytest.fixture
def coco(tmp_path: Path) -> CocoFolder:
    return CocoFolder(tmp_path / "coco")


def material(coco: CocoFolder, **changes: object) -> RawMaterial:
    return coco_material(coco.settings(**changes), untracked)


def refusal(coco: CocoFolder, **changes: object) -> str:
    return outcome.refusal(lambda: material(coco, **changes))


def test_a_whole_dataset_with_classes_in_the_order_of_their_ids(tmp_path: Path) -> None:
    found = material(make_coco_folder(tmp_path / "coco", images=2))
    assert found.classes == ("horse", "zebra")
    assert [(item.key, item.label) for item in found.items] == [
        ("zebra0", 1),
        ("horse0", 0),
        ("zebra1", 1),
        ("horse1", 0),
    ]
    assert all(np.array_equal(mask_in(item), mask_of(IMAGE_BOX)) for item in file_items(found))
    assert found.rejected == []


def test_classes_asked_for_and_others_ignored(coco: CocoFolder) -> None:
    coco.add("a.jpg", (ZEBRA, BOX), (BRUSH, (0, 0, 24, 16)))
    coco.add("b.jpg", (BRUSH, BOX))
    found = material(coco, classes=["zebra"])
    assert keys(found) == ["a"]
    assert np.array_equal(mask_in(item_of(found, "a")), mask_of(IMAGE_BOX))
    assert reasons(found) == {"b.jpg": "no object of the classes zebra"}
    assert "no object is a horse; categories found: zebra, toothbrush" in refusal(coco, classes=["horse"])


def test_fractional_boxes_hold_the_pixels_that_they_cut(coco: CocoFolder) -> None:
    coco.add("a.jpg", (ZEBRA, (1.5, 2.5, 3, 4)), (ZEBRA, (10, 10, 2, 2)))
    expected = mask_of((1, 2, 5, 7)) | mask_of((10, 10, 12, 12))
    assert np.array_equal(mask_in(item_of(material(coco), "a")), expected)


def test_several_classes_and_none(coco: CocoFolder) -> None:
    coco.add("two.jpg", (ZEBRA, (0, 0, 5, 5)), (HORSE, (0, 0, 4, 4)), (ZEBRA, (5, 5, 5, 5)), (HORSE, (9, 9, 5, 5)))
    coco.add("none.jpg")
    assert reasons(material(coco)) == {
        "two.jpg": "objects of several classes: horse, zebra",
        "none.jpg": "no object of the classes horse, zebra",
    }
    largest = material(coco, several_classes="largest")
    assert item_of(largest, "two").label == 1
    assert np.array_equal(mask_in(item_of(largest, "two")), mask_of((0, 0, 5, 5)) | mask_of((5, 5, 10, 10)))
    assert "image 100 (two.jpg): objects of several classes" in refusal(coco, several_classes="fail")
    assert "(none.jpg): no object" in refusal(coco, no_objects="fail")


POLYGON = [2.0, 2.0, 20.0, 3.0, 12.5, 14.0]


def test_outlines(coco: CocoFolder) -> None:
    polygon, runs = inside_polygon(POLYGON, WIDTH, HEIGHT), mask_of((15, 8, 24, 16)) > 0
    for stem, counts in (("plain", run_lengths(runs)), ("compressed", compress(run_lengths(runs)))):
        number = coco.add(f"{stem}.jpg")
        coco.add_object(number, ZEBRA, segmentation=[POLYGON])
        coco.add_object(number, ZEBRA, segmentation={"size": [HEIGHT, WIDTH], "counts": counts}, iscrowd=1)
    found = material(coco, region="segmentation")
    for stem in ("plain", "compressed"):
        assert np.array_equal(mask_in(item_of(found, stem)) > 0, polygon | runs)
    alone = material(coco, region="segmentation", crowds="ignore")
    assert np.array_equal(mask_in(item_of(alone, "plain")) > 0, polygon)


def test_outlines_that_cannot_be_used(coco: CocoFolder) -> None:
    wrong: dict[str, Any] = {
        "without": None,
        "empty": [],
        "thin": [[2.1, 2.1, 2.2, 2.1, 2.2, 2.2]],
        "size": {"size": [WIDTH, HEIGHT], "counts": [WIDTH * HEIGHT]},
        "sum": {"size": [HEIGHT, WIDTH], "counts": [1, 2]},
    }
    for stem, segmentation in wrong.items():
        coco.add_object(coco.add(f"{stem}.jpg"), ZEBRA, segmentation=segmentation)
    found = material(coco, region="segmentation")
    for stem, words in (
        ("without", "has no outline"),
        ("empty", "no outline"),
        ("thin", "hold no pixel"),
        ("size", "run lengths are for 24x16|for 16x24"),
        ("sum", "do not add up"),
    ):
        with pytest.raises(Unusable, match=words):
            mask_in(item_of(found, stem))


def test_boxes_and_outlines_beyond_the_border(coco: CocoFolder) -> None:
    number = coco.add("a.jpg")
    coco.add_object(number, ZEBRA, (20, 3, 4.5, 4), segmentation=[[20, 3, 24.5, 3, 24.5, 7, 20, 7]])
    for region in ("boxes", "segmentation"):
        assert np.array_equal(mask_in(item_of(material(coco, region=region), "a")), mask_of((20, 3, 24, 7)))
    assert "reaches outside the image of 24x16" in refusal(coco, box_outside_image="fail")
    assert "reaches outside" in reasons(material(coco, box_outside_image="leave_out"))["a.jpg"]
    coco.add_object(number, ZEBRA, (30, 3, 4, 4))
    assert "wholly outside" in reasons(material(coco))["a.jpg"]


def test_another_size_than_stated(coco: CocoFolder) -> None:
    coco.add("a.jpg", (ZEBRA, BOX))
    coco.tree["annotations"][0]["segmentation"] = [POLYGON]
    for region in ("boxes", "segmentation"):
        with pytest.raises(Unusable, match="are for 24x16 pixels, but the image has 16x24"):
            mask_in(item_of(material(coco, region=region), "a"), (HEIGHT, WIDTH))


def test_files_and_entries_that_do_not_meet(coco: CocoFolder) -> None:
    coco.add("deep/a.jpg", (ZEBRA, BOX))
    coco.add("gone.jpg", (ZEBRA, BOX), file=False)
    coco.add("flat.jpg", (ZEBRA, (3, 3, 0, 4)))
    write_image(coco.images / "stray.jpg")
    (coco.images / "notes.txt").write_text("hello")
    (coco.images / ".hidden").write_text("hello")
    found = material(coco)
    assert keys(found) == ["deep/a"]
    told = reasons(found)
    assert told.pop("notes.txt").startswith("not an image file")
    assert told.pop("flat.jpg").startswith("annotation 1002 (zebra) has a box without area")
    assert told == {
        "gone.jpg": "no such file, though instances.json names it",
        "stray.jpg": "instances.json does not name it",
    }


def test_groups(coco: CocoFolder) -> None:
    for name in ("P1_a.jpg", "P1_b.jpg", "x.jpg"):
        coco.add(name, (ZEBRA, BOX))
    found = material(coco, group_pattern=r"^(P\d+)_")
    assert [(item.key, item.group) for item in found.items] == [("P1_a", "P1"), ("P1_b", "P1")]
    assert "so its group is unknown" in reasons(found)["x.jpg"]


@pytest.mark.parametrize("name", ["../secret.jpg", "/etc/passwd", "link.jpg", "a/../../secret.jpg", "..\\secret.jpg"])
def test_no_way_out_of_the_folder(coco: CocoFolder, name: str) -> None:
    (coco.images / "link.jpg").symlink_to(write_image(coco.images.parent / "secret.jpg"))
    coco.add(name, (ZEBRA, BOX), file=False)
    assert "leads out of" in refusal(coco)


def test_names_with_spaces_and_quotes_and_names_that_clash(coco: CocoFolder) -> None:
    coco.add('it\'s a "zebra" ü.jpg', (ZEBRA, BOX))
    assert keys(material(coco)) == ['it\'s a "zebra" ü']
    coco.add("same.jpg", (ZEBRA, BOX))
    coco.add("same.png", (ZEBRA, BOX))
    assert "would both have the key 'same'" in refusal(coco)


def spoil(tree: dict[str, Any], place: str, value: object) -> None:
    *parents, last = place.split(".")
    for part in parents:
        tree = tree[int(part)] if part.isdigit() else tree[part]  # type: ignore[index]
    if value is None:
        del tree[last]
    else:
        tree[last] = value


@pytest.mark.parametrize(
    ("place", "value", "words"),
    [
        ("images", None, "images is not a list"),
        ("annotations", {}, "annotations is not a list"),
        ("categories", [], "no categories"),
        ("images", [], "no images"),
        ("images", [3], "images[0] is not an object"),
        ("images.0.id", "7", "images[0]: id is '7', not a whole number"),
        ("images.0.width", None, "images[0]: width is missing"),
        ("images.0.height", 0, "images[0]: 24x0 is not the size"),
        ("images.1.id", 100, "images[1]: id 100 comes twice"),
        ("images.1.file_name", "a.jpg", "images[1]: file_name 'a.jpg' comes twice"),
        ("images.0.file_name", "new\nline.jpg", "not a text that can be printed"),
        ("annotations.0.image_id", 7, "annotations[0]: image_id 7 is that of no image"),
        ("annotations.0.category_id", 7, "annotations[0]: category_id 7 is that of no category"),
        ("annotations.0.category_id", True, "category_id is True, not a whole number"),
        ("annotations.0.bbox", [1, 2, 3], "bbox is [1, 2, 3], not [x, y, width, height]"),
        ("annotations.0.bbox", [1, 2, "3", 4], "not [x, y, width, height]"),
        ("annotations.0.bbox", None, "bbox is missing"),
        ("annotations.0.segmentation", [[1, 2, 3]], "segmentation is neither"),
        ("annotations.0.segmentation", {"size": [1, 2]}, "segmentation is neither"),
        ("annotations.0.segmentation", {"size": [1, 2], "counts": [1.5]}, "segmentation is neither"),
        ("categories.0.name", 5, "categories[0]: name is 5"),
        ("categories.1.id", 24, "categories[1]: id 24 comes twice"),
        ("categories.1.name", "zebra", "categories[1]: name 'zebra' comes twice"),
    ],
)
def test_a_wrong_value_is_one_line_that_names_the_place(
    coco: CocoFolder, place: str, value: object, words: str
) -> None:
    coco.add("a.jpg", (ZEBRA, BOX))
    coco.add("b.jpg", (HORSE, BOX))
    spoil(coco.tree, place, value)
    message = refusal(coco, region="segmentation")
    assert words in message
    assert str(coco.json) in message


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff\xfe", b"[]", b'{"images": NaN}', b"[" * 100_000, b'{"images": [{"id": 1}]'],
    ids=["empty", "open", "not text", "list", "NaN", "deep", "cut"],
)
def test_what_is_no_coco_file(coco: CocoFolder, content: bytes) -> None:
    settings = coco.settings()
    coco.json.write_bytes(content)
    with pytest.raises(UserError, match=r"instances\.json: (not valid JSON|not a COCO file)") as caught:
        coco_material(settings, untracked)
    assert "\n" not in str(caught.value)


def test_a_missing_file_names_the_setting(coco: CocoFolder) -> None:
    assert "source.annotations: " in refusal(coco, annotations=coco.images / "gone.json")
    assert "source.images: no such folder" in refusal(coco, images=coco.images / "gone")
