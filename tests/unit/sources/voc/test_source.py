import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from distxml.config.images import ImageRules
from distxml.errors import UserError
from distxml.sources.building.check import CheckTask, check_items
from distxml.sources.building.usable import usable
from distxml.sources.files import visible_entries
from distxml.sources.material import RawMaterial, untracked
from distxml.sources.raster import Box, box_mask
from distxml.sources.voc.source import voc_material
from tests.oracles.voc_mask import mask_of_boxes
from tests.unit.sources.voc_folder import HEIGHT, WIDTH, VocFolder, annotation_xml, object_xml


def material(voc: VocFolder, **source: object) -> RawMaterial:
    settings = voc.recipe(**source).source
    assert settings.kind == "voc"
    return voc_material(settings, untracked)


def reasons(found: RawMaterial) -> dict[str, str]:
    """Why files are left out: while they are listed, and when their images are looked at."""
    checked_items = check_items(CheckTask(tuple(range(len(found.items))), tuple(found.items), ImageRules()))
    return {entry.file: entry.reason for entry in usable(found, checked_items).rejected}


def test_keys_labels_and_the_files_own_bytes(voc: VocFolder) -> None:
    found = material(voc)
    assert found.classes == ("cat", "dog")
    assert [(item.key, item.label) for item in found.items] == [
        *((f"cat{number}", 0) for number in range(4)),
        *((f"dog{number}", 1) for number in range(4)),
    ]
    row = found.items[0].row(ImageRules())
    assert row.image == (voc.images / "cat0.jpg").read_bytes()
    assert row.image_name == "cat0.jpg"
    assert found.rejected == []


corners = st.tuples(st.integers(0, 11), st.integers(0, 8), st.integers(1, 12), st.integers(1, 9))
boxes_inside = st.lists(corners.filter(lambda box: box[0] < box[2] and box[1] < box[3]), min_size=1, max_size=4)


@given(boxes=boxes_inside)
def test_mask_against_the_oracle(boxes: list[tuple[int, int, int, int]]) -> None:
    found = box_mask([Box(*box) for box in boxes], 12, 9)
    assert np.array_equal(found, mask_of_boxes(boxes, 12, 9))


def test_mask_in_the_row_is_the_union_of_the_class_boxes(voc: VocFolder) -> None:
    voc.add("two", object_xml("cat", (0, 0, 4, 3)) + object_xml("tree") + object_xml("cat", (2, 1, WIDTH, HEIGHT)))
    item = next(item for item in material(voc, classes=["dog", "cat"]).items if item.key == "two")
    mask = cv2.imdecode(np.frombuffer(item.row(ImageRules()).mask or b"", np.uint8), cv2.IMREAD_UNCHANGED)
    assert mask is not None
    assert np.array_equal(mask, mask_of_boxes([(0, 0, 4, 3), (2, 1, WIDTH, HEIGHT)], WIDTH, HEIGHT))


def mask_of(voc: VocFolder, key: str, **source: object) -> np.ndarray:
    row = next(item for item in material(voc, **source).items if item.key == key).row(ImageRules())
    mask = cv2.imdecode(np.frombuffer(row.mask or b"", np.uint8), cv2.IMREAD_UNCHANGED)
    assert mask is not None
    return mask


def mask_counted_from_1(xmin: int, ymin: int, xmax: int, ymax: int) -> np.ndarray:
    """Pixel by pixel: the numbers of columns and rows begin with 1, and the last ones are inside."""
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    for row in range(HEIGHT):
        for column in range(WIDTH):
            mask[row, column] = 255 * (xmin <= column + 1 <= xmax and ymin <= row + 1 <= ymax)
    return mask


@pytest.mark.parametrize("box", [(1, 1, 1, 1), (1, 1, WIDTH, HEIGHT), (3, 4, 20, 15), (WIDTH, HEIGHT, WIDTH, HEIGHT)])
def test_boxes_that_count_from_1(voc: VocFolder, box: tuple[int, int, int, int]) -> None:
    voc.add("one", object_xml("cat", box))
    assert np.array_equal(mask_of(voc, "one", boxes_count_from=1), mask_counted_from_1(*box))


@pytest.mark.parametrize("box", [(1, 1, WIDTH, HEIGHT), (3, 4, 20, 15)])
def test_a_polygon_along_a_box_that_counts_from_1_has_the_mask_of_the_box(
    voc: VocFolder, box: tuple[int, int, int, int]
) -> None:
    """Its points are the middles of the pixels that they name."""
    left, top, right, bottom = box
    along = [(left, top), (right, top), (right, bottom), (left, bottom)]
    corners = "".join(f"<x{n}>{x}</x{n}><y{n}>{y}</y{n}>" for n, (x, y) in enumerate(along, 1))
    polygon = f"<polygon>{corners}</polygon></object>"
    voc.add("one", object_xml("cat", box).replace("</object>", polygon))
    assert np.array_equal(mask_of(voc, "one", boxes_count_from=1), mask_counted_from_1(*box))


@pytest.mark.parametrize(("box", "remedy"), [((0, 1, 5, 5), "boxes_count_from=0"), ((1, 1, WIDTH + 1, 5), "=clip")])
def test_counting_from_1_what_lies_outside(voc: VocFolder, box: tuple[int, int, int, int], remedy: str) -> None:
    voc.add("one", object_xml("cat", box) + object_xml("dog"))
    with pytest.raises(UserError, match=rf"xmin {box[0]}, .* reaches outside .*{remedy}"):
        material(voc, boxes_count_from=1, several_classes="largest")


def test_classes_in_the_order_asked_for_and_others_ignored(voc: VocFolder) -> None:
    voc.add("bird0", object_xml("bird"))
    found = material(voc, classes=["dog", "cat"])
    assert found.classes == ("dog", "cat")
    assert reasons(found) == {"bird0.jpg": "no object of the classes dog, cat"}


def test_a_class_that_is_never_found_lists_those_that_are(voc: VocFolder) -> None:
    with pytest.raises(UserError, match="no object is named horse; names found: cat, dog"):
        material(voc, classes=["cat", "horse"])
    with pytest.raises(UserError, match="comes twice"):
        material(voc, classes=["cat", "cat"])


def test_xml_that_names_its_image(voc: VocFolder) -> None:
    voc.add_image("photo.png")
    voc.add_xml("label-17", annotation_xml(object_xml("cat"), r"C:\pictures\photo.png"))
    assert "photo" in {item.key for item in material(voc).items}


def test_the_stem_wins_over_the_name(voc: VocFolder) -> None:
    voc.add_xml("cat0", annotation_xml(object_xml("dog"), "cat1.jpg"))
    assert next(item for item in material(voc).items if item.key == "cat0").label == 1


@pytest.mark.parametrize("name", ["../secret.jpg", "/etc/secret.jpg", "..", "missing.jpg"])
def test_xml_without_its_image_and_no_way_out_of_the_folder(voc: VocFolder, name: str) -> None:
    (voc.root / "secret.jpg").write_bytes((voc.images / "cat0.jpg").read_bytes())
    xml = voc.add_xml("stray", annotation_xml(object_xml("cat"), name))
    with pytest.raises(UserError) as caught:
        material(voc)
    assert str(xml) in str(caught.value)
    assert name in str(caught.value)


def test_two_xml_files_for_one_image(voc: VocFolder) -> None:
    voc.add_xml("other", annotation_xml(object_xml("cat"), "cat0.jpg"))
    with pytest.raises(UserError, match=r"cat0.xml and .*other.xml both belong to .*cat0.jpg"):
        material(voc)


def test_two_images_of_one_stem(voc: VocFolder) -> None:
    voc.add_image("cat0.png")
    with pytest.raises(UserError, match=r"cat0.jpg and cat0.png"):
        material(voc)


def test_what_is_left_out_and_why(voc: VocFolder) -> None:
    voc.add_image("lonely.jpg")
    for stem in ("empty", "garbage", "rotated"):
        voc.add(stem, object_xml("cat"))
    (voc.images / "empty.jpg").write_bytes(b"")
    (voc.images / "garbage.jpg").write_bytes(b"no image at all")
    voc.add_image("rotated.jpg", exif_orientation=6)
    voc.add_image("upright.jpg", exif_orientation=1)
    voc.add_xml("upright", annotation_xml(object_xml("cat")))
    (voc.images / "notes.txt").write_text("hello")
    (voc.images / ".hidden").write_text("hello")

    found = material(voc)
    assert reasons(found) == {
        "empty.jpg": "empty file",
        "garbage.jpg": "cannot be decoded (not BMP, GIF, JPEG, PNG, TIFF, WEBP, or its header is broken)",
        "lonely.jpg": "no XML belongs to it",
        "notes.txt": "not an image file (.bmp .gif .jpeg .jpg .png .tif .tiff .webp)",
        "rotated.jpg": "EXIF orientation 6: unclear whether its annotation is for the turned image; "
        "see images.exif_rotated",
    }
    assert "upright" in {item.key for item in found.items}


def test_the_largest_class_is_told_from_the_header_alone(voc: VocFolder) -> None:
    """The box of the dog is larger, but not within the image; the image is cut off behind its header."""
    voc.add("both", object_xml("cat", (0, 0, 20, 19)) + object_xml("dog", (25, 0, 900, 19)), ".bmp")
    path = voc.images / "both.bmp"
    path.write_bytes(path.read_bytes()[:100])
    found = material(voc, several_classes="largest", box_outside_image="clip")
    assert next(item for item in found.items if item.key == "both").label == found.classes.index("cat")
    assert reasons(found)["both.bmp"].startswith("cannot be decoded")


def test_a_polygon_says_more_than_its_box(voc: VocFolder) -> None:
    """A triangle with its right angle at the corner of the image, and a second object with a box alone."""
    corners = "".join(f"<x{n}>{x}</x{n}><y{n}>{y}</y{n}>" for n, (x, y) in enumerate([(0, 0), (16, 0), (0, 16)], 1))
    triangle = object_xml("cat", (0, 0, 16, 16)).replace("</object>", f"<polygon>{corners}</polygon></object>")
    voc.add("shape", triangle + object_xml("cat", (25, 1, 29, 4)))
    row = next(item for item in material(voc).items if item.key == "shape").row(ImageRules())
    mask = cv2.imdecode(np.frombuffer(row.mask or b"", np.uint8), cv2.IMREAD_UNCHANGED)
    assert mask is not None
    expected = np.add.outer(np.arange(HEIGHT), np.arange(WIDTH)) < 15
    border = np.abs(np.add.outer(np.arange(HEIGHT), np.arange(WIDTH)) - 15) <= 2
    expected[1:4, 25:29], border[1:4, 25:29] = True, False
    assert np.array_equal((mask > 0)[~border], expected[~border])


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".bmp", ".webp", ".tif"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.8, 0.97])
def test_truncated_images_are_left_out(voc: VocFolder, suffix: str, share: float) -> None:
    voc.add("cut", object_xml("cat"), suffix)
    path = voc.images / f"cut{suffix}"
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    assert reasons(material(voc))[path.name].startswith("cannot be decoded (")


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".bmp", ".webp", ".tif"])
def test_image_formats(voc: VocFolder, suffix: str) -> None:
    voc.add("whole", object_xml("cat"), suffix)
    assert "whole" in {item.key for item in material(voc).items}


@pytest.mark.parametrize("field", ["images", "annotations"])
def test_a_missing_folder_names_the_setting(voc: VocFolder, field: str) -> None:
    with pytest.raises(UserError, match=rf"source.{field}: no such folder: .*nowhere"):
        material(voc, **{field: voc.root / "nowhere"})


@pytest.mark.parametrize("field", ["images", "annotations"])
@pytest.mark.parametrize("name", ["x" * 300, "new\nline"])
def test_a_folder_that_cannot_be_asked_for_is_one_line(voc: VocFolder, field: str, name: str) -> None:
    with pytest.raises(UserError, match=rf"source.{field}: .*folder|source.{field}: .*cannot be read") as caught:
        material(voc, **{field: voc.root / name})
    assert "\n" not in str(caught.value)


def test_a_folder_that_may_not_be_listed_is_named(voc: VocFolder) -> None:
    """A file stands in for it: it cannot be listed either, whoever runs the test."""
    with pytest.raises(UserError, match=r"cat0\.jpg: cannot be read"):
        visible_entries(voc.images / "cat0.jpg")


def test_image_names_that_cannot_be_printed_are_left_out(voc: VocFolder) -> None:
    for name in ("cat0\nx.jpg", "cat0\udcff.jpg"):
        (voc.images / name).write_bytes((voc.images / "cat1.jpg").read_bytes())
    assert set(reasons(material(voc)).values()) == {"the file's name holds characters that cannot be printed"}


def test_xml_names_that_cannot_be_printed_are_refused_in_one_line(voc: VocFolder) -> None:
    voc.add_xml("a\nb", annotation_xml(object_xml("cat")))
    with pytest.raises(UserError, match=r"'a\\nb\.xml' holds characters") as caught:
        material(voc)
    assert "\n" not in str(caught.value)


def test_a_stated_size_of_zero_is_not_a_contradiction(voc: VocFolder) -> None:
    voc.add_xml("cat0", annotation_xml(object_xml("cat"), size=(0, 0)))
    assert "cat0" in {item.key for item in material(voc).items}


def test_a_folder_without_xml(voc: VocFolder) -> None:
    with pytest.raises(UserError, match="no XML file"):
        material(voc, annotations=voc.images)
