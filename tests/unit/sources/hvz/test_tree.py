from pathlib import Path

import numpy as np
import pytest

from distxml.errors import UserError
from distxml.sources.hvz.tree import hvz_material
from distxml.sources.material import RawMaterial, Unusable, untracked
from tests.unit.sources.hvz_trees import ImageNetTree, box_xml, make_imagenet_tree
from tests.unit.sources.outcome import file_items, item_of, keys, mask_in, reasons
from tests.unit.sources.pictures import HEIGHT, IMAGE_BOX, WIDTH, mask_of, write_image

HORSE, ZEBRA = "n02389026", "n02391049"


@pytest.fixture
def tree(tmp_path: Path) -> ImageNetTree:
    return ImageNetTree(tmp_path / "ILSVRC")


def material(tree: ImageNetTree, **changes: object) -> RawMaterial:
    return hvz_material(tree.settings(**changes), untracked)


def test_a_whole_tree(tmp_path: Path) -> None:
    found = material(make_imagenet_tree(tmp_path / "ILSVRC", images=3))
    assert found.classes == ("horse", "zebra")
    assert [(item.key, item.label, item.name) for item in found.items] == [
        (f"{synset}_{number}", label, f"{synset}/{synset}_{number}.JPEG")
        for label, synset in enumerate((HORSE, ZEBRA))
        for number in range(3)
    ]
    assert all(np.array_equal(mask_in(item), mask_of(IMAGE_BOX)) for item in file_items(found))
    assert found.rejected == []


def test_the_layout_of_the_synset_archives(tmp_path: Path) -> None:
    """`n02389026/*.JPEG` beside `Annotation/n02389026/*.xml`."""
    tree = make_imagenet_tree(tmp_path / "ILSVRC")
    tree.images = tree.images.rename(tmp_path / "imagenet")
    tree.annotations = tree.annotations.rename(tmp_path / "imagenet" / "Annotation")
    assert len(material(tree).items) == 12


def test_only_images_with_boxes_of_their_synset(tree: ImageNetTree) -> None:
    tree.add("horse", 1, IMAGE_BOX)
    tree.add("horse", 2)
    tree.add("horse", 3, IMAGE_BOX)
    tree.add_xml(HORSE, f"{HORSE}_3", box_xml(ZEBRA, IMAGE_BOX))
    tree.add_xml(ZEBRA, f"{ZEBRA}_9", box_xml(ZEBRA, IMAGE_BOX))
    (tree.images / HORSE / "notes.txt").write_text("hello")
    (tree.images / HORSE / ".hidden").write_text("hello")
    (tree.images / HORSE / "link.JPEG").symlink_to(write_image(tree.images.parent / "out.jpg"))
    found = material(tree)
    assert keys(found) == [f"{HORSE}_1"]
    told = reasons(found)
    assert told.pop(f"{HORSE}/notes.txt").startswith("not an image file")
    assert told.pop(f"{HORSE}/link.JPEG").startswith("a link to a folder or out of")
    assert told == {
        f"{HORSE}/{HORSE}_2.JPEG": "no XML of boxes belongs to it",
        f"{HORSE}/{HORSE}_3.JPEG": f"no box of {HORSE} (horse) in its XML",
    }


def test_several_boxes_and_objects_of_other_kinds(tree: ImageNetTree) -> None:
    tree.add("zebra", 1, (0, 0, 4, 4))
    boxes = [(0, 0, 4, 4), (10, 8, 20, 16)]
    objects = "".join(box_xml(ZEBRA, box) for box in boxes) + box_xml(HORSE, (0, 0, 24, 16))
    tree.add_xml(ZEBRA, f"{ZEBRA}_1", objects)
    assert np.array_equal(mask_in(item_of(material(tree), f"{ZEBRA}_1")), mask_of(boxes[0]) | mask_of(boxes[1]))


def test_boxes_for_the_size_that_the_annotator_saw_are_scaled(tree: ImageNetTree) -> None:
    tree.add("horse", 1, (2, 4, 10, 8), size=(WIDTH // 2, HEIGHT // 2))
    assert np.array_equal(mask_in(item_of(material(tree), f"{HORSE}_1")), mask_of((4, 8, 20, 16)))
    with pytest.raises(Unusable, match="its boxes are for 12x8 pixels, but the image has 24x16"):
        mask_in(item_of(material(tree, other_size="leave_out"), f"{HORSE}_1"))


@pytest.mark.parametrize("size", [(HEIGHT, WIDTH), (12, 12), (WIDTH, HEIGHT + 4), (0, 1), (-24, -16)])
def test_boxes_for_another_shape_are_not_scaled(tree: ImageNetTree, size: tuple[int, int]) -> None:
    tree.add("horse", 1, (2, 2, 10, 8), size=size)
    with pytest.raises(Unusable, match="its boxes are for"):
        mask_in(item_of(material(tree), f"{HORSE}_1"))


def test_boxes_beyond_the_border(tree: ImageNetTree) -> None:
    tree.add("horse", 1, (5, 5, WIDTH + 1, HEIGHT))
    assert np.array_equal(mask_in(item_of(material(tree), f"{HORSE}_1")), mask_of((5, 5, WIDTH, HEIGHT)))
    with pytest.raises(UserError, match=rf"{HORSE}_1\.xml: box .* reaches outside"):
        mask_in(item_of(material(tree, box_outside_image="fail"), f"{HORSE}_1"))
    tree.add("horse", 2, (WIDTH, 5, WIDTH + 9, HEIGHT))
    with pytest.raises(Unusable, match="wholly outside"):
        mask_in(item_of(material(tree), f"{HORSE}_2"))


def test_what_stops_the_build(tree: ImageNetTree) -> None:
    tree.add("horse", 1, IMAGE_BOX)
    (tree.annotations / HORSE / f"{HORSE}_1.xml").write_text("<annotation>")
    with pytest.raises(UserError, match=rf"{HORSE}_1\.xml: not valid XML"):
        material(tree)
    (tree.annotations / HORSE / f"{HORSE}_1.xml").unlink()
    (tree.annotations / ZEBRA).rmdir()
    with pytest.raises(UserError, match=r"source\.annotations: no folder .*n02391049, .* the zebras"):
        material(tree)
    with pytest.raises(UserError, match=r"source\.images: no such folder"):
        material(tree, images=tree.images / "nowhere")
