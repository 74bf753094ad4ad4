from pathlib import Path
from typing import Any

import pytest

from distxml.config.sources import VocSource
from distxml.errors import UserError
from distxml.sources.material import Unusable
from distxml.sources.raster import Box
from distxml.sources.voc.annotation import AnnotatedObject, Annotation
from distxml.sources.voc.rules import ClassRegion, region_of

SIZE = (30, 20)
CLASSES = ("dog", "cat")
SMALL, LARGE = Box(1, 1, 5, 5), Box(2, 2, 20, 18)


def rules(**changes: Any) -> VocSource:
    return VocSource.model_validate({"kind": "voc", "images": "i", "annotations": "a"} | changes)


def annotated(*objects: tuple[str, Box], size: tuple[int, int] | None = SIZE) -> Annotation:
    entries = tuple(AnnotatedObject(number, name, box) for number, (name, box) in enumerate(objects, start=1))
    return Annotation(Path("x.xml"), None, size, entries)


def test_the_boxes_of_the_class_and_its_label_in_the_order_of_the_classes() -> None:
    annotation = annotated(("cat", SMALL), ("tree", LARGE), ("cat", LARGE))
    assert region_of(annotation, SIZE, CLASSES, rules()) == ClassRegion(1, (SMALL, LARGE))


@pytest.mark.parametrize("box", [Box(0, 0, 30, 20), Box(0, 0, 1, 1), Box(29, 19, 30, 20)])
def test_boxes_up_to_the_border_are_inside(box: Box) -> None:
    assert region_of(annotated(("cat", box)), SIZE, CLASSES, rules()).boxes == (box,)


@pytest.mark.parametrize("box", [Box(-1, 0, 5, 5), Box(0, -0.5, 5, 5), Box(0, 0, 31, 20), Box(0, 0, 30, 21)])
def test_a_box_outside_fails_and_says_how_to_go_on(box: Box) -> None:
    with pytest.raises(UserError) as caught:
        region_of(annotated(("cat", SMALL), ("dog", box)), SIZE, CLASSES, rules())
    for part in ("x.xml", "object 2 (dog)", str(box), "30x20", "source.box_outside_image=clip"):
        assert part in str(caught.value)


def test_a_box_outside_is_clipped_or_left_out_on_request() -> None:
    annotation = annotated(("cat", Box(-4, 2, 40, 25)))
    clipped = region_of(annotation, SIZE, CLASSES, rules(box_outside_image="clip"))
    assert clipped.boxes == (Box(0, 2, 30, 20),)
    with pytest.raises(Unusable, match="reaches outside the image of 30x20"):
        region_of(annotation, SIZE, CLASSES, rules(box_outside_image="leave_out"))


def test_clipping_leaves_out_a_box_of_which_nothing_is_inside() -> None:
    with pytest.raises(Unusable, match="wholly outside"):
        region_of(annotated(("cat", Box(30, 2, 40, 5))), SIZE, CLASSES, rules(box_outside_image="clip"))


def test_objects_that_are_no_class_may_lie_anywhere() -> None:
    annotation = annotated(("tree", Box(-5, -5, 99, 99)), ("cat", SMALL))
    assert region_of(annotation, SIZE, CLASSES, rules()).label == 1


def test_several_classes() -> None:
    annotation = annotated(("dog", SMALL), ("cat", LARGE), ("dog", SMALL))
    with pytest.raises(Unusable, match="several classes: dog, cat"):
        region_of(annotation, SIZE, CLASSES, rules())
    with pytest.raises(UserError, match="several classes"):
        region_of(annotation, SIZE, CLASSES, rules(several_classes="fail"))
    largest = region_of(annotation, SIZE, CLASSES, rules(several_classes="largest"))
    assert largest == ClassRegion(1, (LARGE,))


def test_largest_counts_the_area_inside_the_image_and_breaks_ties_by_label() -> None:
    mostly_outside = annotated(("cat", Box(25, 0, 500, 5)), ("dog", LARGE))
    clip = rules(several_classes="largest", box_outside_image="clip")
    assert region_of(mostly_outside, SIZE, CLASSES, clip).label == 0
    assert region_of(annotated(("cat", SMALL), ("dog", SMALL)), SIZE, CLASSES, clip).label == 0


def test_no_objects() -> None:
    for annotation in (annotated(), annotated(("tree", SMALL))):
        with pytest.raises(Unusable, match="no object of the classes dog, cat"):
            region_of(annotation, SIZE, CLASSES, rules())
        with pytest.raises(UserError, match=r"x.xml: no object.*no_objects=leave_out"):
            region_of(annotation, SIZE, CLASSES, rules(no_objects="fail"))


@pytest.mark.parametrize("stated", [(20, 30), (31, 20), (0, 0)])
def test_another_size_than_stated_leaves_the_image_out(stated: tuple[int, int]) -> None:
    with pytest.raises(Unusable, match=rf"x.xml says {stated[0]}x{stated[1]} pixels, but the image has 30x20"):
        region_of(annotated(("cat", SMALL), size=stated), SIZE, CLASSES, rules())


def test_a_file_may_be_silent_on_the_size() -> None:
    assert region_of(annotated(("cat", SMALL), size=None), SIZE, CLASSES, rules()).label == 1
