"""What an annotation means for its image: the class and the boxes, by the recipe's rules."""

from dataclasses import dataclass

from distxml.config.sources import VocSource
from distxml.errors import UserError
from distxml.sources.material import Unusable
from distxml.sources.raster import Box, Point
from distxml.sources.voc.annotation import AnnotatedObject, Annotation

Size = tuple[int, int]
"""Width and height in pixels."""


@dataclass(frozen=True)
class Region:
    """An image's class and where its objects are.

    Attributes:
        label: index into the classes.
        boxes: of the objects without a polygon, all of them inside the image.
        polygons: of the others; their boxes are inside the image.
    """

    label: int
    boxes: tuple[Box, ...]
    polygons: tuple[tuple[Point, ...], ...] = ()


def region_of(annotation: Annotation, size: Size, classes: tuple[str, ...], rules: VocSource) -> Region:
    """The class and the boxes of the image of `size`.

    Raises:
        Unusable: the image must be left out.
        UserError: the recipe's rule is to fail.
    """
    if annotation.size not in (None, size):
        raise Unusable(f"{annotation.path.name} says {_by(annotation.size)} pixels, but the image has {_by(size)}")
    objects = [entry for entry in annotation.objects if entry.name in classes]
    if not objects and rules.negative is not None:
        return Region(classes.index(rules.negative), ())
    if not objects:
        reason = f"no object of the classes {', '.join(classes)}"
        _fail_or_leave_out(rules.no_objects, annotation, reason, "source.no_objects=leave_out")
    boxes: dict[str, list[Box]] = {}
    for entry in objects:
        boxes.setdefault(entry.name, []).append(_box_inside(entry, annotation, size, rules))
    name = _class_of(boxes, annotation, classes, rules)
    own = [entry.polygon if rules.region == "polygon" else None for entry in objects if entry.name == name]
    return Region(
        classes.index(name),
        tuple(box for box, polygon in zip(boxes[name], own, strict=True) if polygon is None),
        tuple(polygon for polygon in own if polygon is not None),
    )


def _class_of(boxes: dict[str, list[Box]], annotation: Annotation, classes: tuple[str, ...], rules: VocSource) -> str:
    """The one class, or that of the largest total area; of equal ones, the first in label order."""
    names = sorted(boxes, key=classes.index)
    if len(names) > 1 and rules.several_classes != "largest":
        reason = f"objects of several classes: {', '.join(names)}"
        _fail_or_leave_out(rules.several_classes, annotation, reason, "source.several_classes=leave_out or =largest")
    return max(names, key=lambda name: sum(box.area for box in boxes[name]))


def _box_inside(entry: AnnotatedObject, annotation: Annotation, size: Size, rules: VocSource) -> Box:
    """The object's box, cut off at the border where the rule says so."""
    box, (width, height) = entry.box, size
    clipped = Box(max(box.xmin, 0), max(box.ymin, 0), min(box.xmax, width), min(box.ymax, height))
    if clipped == box:
        return box
    reason = f"{entry} reaches outside the image of {_by(size)} pixels"
    if rules.box_outside_image != "clip":
        remedy = "source.box_outside_image=clip or =leave_out"
        if rules.boxes_count_from == 1 and min(box.xmin, box.ymin) == -1:
            remedy += ", or source.boxes_count_from=0"
        _fail_or_leave_out(rules.box_outside_image, annotation, reason, remedy)
    if clipped.xmin >= clipped.xmax or clipped.ymin >= clipped.ymax:
        raise Unusable(f"{entry} lies wholly outside the image of {_by(size)} pixels")
    return clipped


def _fail_or_leave_out(rule: str, annotation: Annotation, reason: str, remedy: str) -> None:
    if rule == "fail":
        raise UserError(f"{annotation.path}: {reason}; mend the file or set {remedy}")
    raise Unusable(reason)


def _by(size: Size | None) -> str:
    return "?" if size is None else f"{size[0]}x{size[1]}"
