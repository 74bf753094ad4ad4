"""What an annotation means for its image: the class and the boxes, by the recipe's rules."""

from dataclasses import dataclass

from distxml.config.sources import VocSource
from distxml.sources.material import Unusable
from distxml.sources.raster import Box, Point, Size, size_in_words
from distxml.sources.regions import box_inside, fail_or_leave_out
from distxml.sources.voc.annotation import AnnotatedObject, Annotation


@dataclass(frozen=True)
class ClassRegion:
    """An image's class and where its objects are.

    Attributes:
        label: index into the classes.
        boxes: of the objects without a polygon, all of them inside the image.
        polygons: of the others; their boxes are inside the image.
    """

    label: int
    boxes: tuple[Box, ...]
    polygons: tuple[tuple[Point, ...], ...] = ()


def region_of(annotation: Annotation, size: Size, classes: tuple[str, ...], rules: VocSource) -> ClassRegion:
    """The class and the boxes of the image of `size`.

    Args:
        annotation: the image's XML.
        size: of the image.
        classes: names in label order.
        rules: the recipe's.

    Raises:
        Unusable: the image must be left out.
        UserError: the recipe's rule is to fail.
    """
    if annotation.size is not None and annotation.size != size:
        stated = size_in_words(annotation.size)
        raise Unusable(f"{annotation.path.name} says {stated} pixels, but the image has {size_in_words(size)}")
    objects = [entry for entry in annotation.objects if entry.name in classes]
    if not objects and rules.negative is not None:
        return ClassRegion(classes.index(rules.negative), ())
    if not objects:
        reason = f"no object of the classes {', '.join(classes)}"
        fail_or_leave_out(rules.no_objects, str(annotation.path), reason, "source.no_objects=leave_out")
    boxes: dict[str, list[Box]] = {}
    for entry in objects:
        boxes.setdefault(entry.name, []).append(_box_inside(entry, annotation, size, rules))
    name = _class_of(boxes, annotation, classes, rules)
    own = [entry.polygon if rules.region == "polygon" else None for entry in objects if entry.name == name]
    return ClassRegion(
        classes.index(name),
        tuple(box for box, polygon in zip(boxes[name], own, strict=True) if polygon is None),
        tuple(polygon for polygon in own if polygon is not None),
    )


def _class_of(boxes: dict[str, list[Box]], annotation: Annotation, classes: tuple[str, ...], rules: VocSource) -> str:
    """The one class, or that of the largest total area; of equal ones, the first in label order."""
    names = sorted(boxes, key=classes.index)
    if len(names) > 1 and rules.several_classes != "largest":
        reason = f"objects of several classes: {', '.join(names)}"
        remedy = "source.several_classes=leave_out or =largest"
        fail_or_leave_out(rules.several_classes, str(annotation.path), reason, remedy)
    return max(names, key=lambda name: sum(box.area for box in boxes[name]))


def _box_inside(entry: AnnotatedObject, annotation: Annotation, size: Size, rules: VocSource) -> Box:
    """The object's box, cut off at the border where the rule says so."""
    is_off_by_one = rules.boxes_count_from == 1 and min(entry.box.xmin, entry.box.ymin) == -1
    hint = ", or source.boxes_count_from=0" if is_off_by_one else ""
    where = str(annotation.path)
    return box_inside(entry.box, size, rules.box_outside_image, where, name=str(entry), hint=hint)
