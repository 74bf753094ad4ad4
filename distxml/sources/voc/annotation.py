"""Reads one Pascal VOC annotation file, which is not trusted."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import parse

from distxml.errors import UserError, reason_of
from distxml.sources.raster import Box, Point

REMEDY = "mend the file, or move it away together with its image"

MAX_POINTS = 10_000

MAX_COORDINATE = 1_000_000.0
"""Pixels from the image's corner: more is no annotation, but a mistake."""

First = Literal[0, 1]
"""What a file calls the first pixel: 0, and the maxima of a box are no longer inside, or 1, and they are."""


@dataclass(frozen=True)
class AnnotatedObject:
    """One `<object>`; `number` counts from 1 in the file. A `polygon` (x, y in pixels) says more than its `box`.

    Both count from 0, whatever the file does; `first` is what that calls the first pixel, for messages.
    """

    number: int
    name: str
    box: Box
    polygon: tuple[Point, ...] | None = None
    first: First = 0

    def __str__(self) -> str:
        box = self.box
        in_file = Box(box.xmin + self.first, box.ymin + self.first, box.xmax, box.ymax)
        return f"object {self.number} ({self.name}) {in_file}"


@dataclass(frozen=True)
class Annotation:
    """One XML file.

    Attributes:
        path: the file.
        filename: the image that it names, if any; not trusted.
        size: width and height that it states, if any; 0x0 states nothing.
        objects: in the file's order.
    """

    path: Path
    filename: str | None
    size: tuple[int, int] | None
    objects: tuple[AnnotatedObject, ...]


def read_annotation(path: Path, first: First = 0) -> Annotation:
    """The annotation in `path`, which calls the first pixel `first`.

    Raises:
        UserError: the file is not XML, declares a DTD or entities, lacks a field, or holds a wrong value.
    """
    root = _parse(path)
    if root.tag != "annotation":
        raise UserError(f"{path}: the root is <{root.tag}>, not a Pascal VOC <annotation>; {REMEDY}")
    objects = tuple(_object(path, number, element, first) for number, element in enumerate(root.findall("object"), 1))
    return Annotation(path, _text(root, "filename"), _size(path, root), objects)


def _parse(path: Path) -> Element:
    try:
        root = parse(path, forbid_dtd=True).getroot()
    except DefusedXmlException as error:
        raise UserError(f"{path}: refused, because it declares a DTD or entities ({error}); {REMEDY}") from None
    except (ParseError, ValueError, LookupError) as error:
        raise UserError(f"{path}: not valid XML ({error}); {REMEDY}") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({reason_of(error)}); {REMEDY}") from None
    assert root is not None  # a document without a root is a ParseError
    return root


def _object(path: Path, number: int, element: Element, first: First) -> AnnotatedObject:
    where = f"{path}: object {number}"
    name = _text(element, "name")
    if name is None:
        raise UserError(f"{where}: field name is missing or empty; {REMEDY}")
    if not name.isprintable():
        raise UserError(f"{where}: field name {name[:40]!a} holds characters that cannot be printed; {REMEDY}")
    xmin, ymin, xmax, ymax = (
        _number(f"{where} ({name})", element, f"bndbox/{corner}") for corner in ("xmin", "ymin", "xmax", "ymax")
    )
    for low, high, axis in ((xmin, xmax, "x"), (ymin, ymax, "y")):
        if low > high or (low == high and not first):
            in_file, relation = Box(xmin, ymin, xmax, ymax), ">" if first else ">="
            raise UserError(f"{where} ({name}): box {in_file} has {axis}min {relation} {axis}max; {REMEDY}")
    polygon = _from_corner(read_polygon(element, f"{where} ({name})"), first)
    return AnnotatedObject(number, name, Box(xmin - first, ymin - first, xmax, ymax), polygon, first)


def _from_corner(polygon: tuple[Point, ...] | None, first: First) -> tuple[Point, ...] | None:
    """Where pixels count from 1, a point is the middle of its pixel: so a polygon along a box covers the same."""
    if polygon is None or first == 0:
        return polygon
    return tuple((x - 0.5, y - 0.5) for x, y in polygon)


def _size(path: Path, root: Element) -> tuple[int, int] | None:
    if root.find("size") is None:
        return None
    width, height = (_number(str(path), root, f"size/{side}") for side in ("width", "height"))
    size = round(width), round(height)
    return None if size == (0, 0) else size  # some tools write zeros where they do not know


def _number(where: str, element: Element, field: str) -> float:
    text = _text(element, field)
    if text is None:
        raise UserError(f"{where}: field {field} is missing or empty; {REMEDY}")
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise UserError(f"{where}: field {field} is {text[:40]!r}, not a number; {REMEDY}")
    return number


def _text(element: Element, field: str) -> str | None:
    return (element.findtext(field) or "").strip() or None


def read_polygon(element: Element, where: str) -> tuple[Point, ...] | None:
    """The points (x, y) of `<object>`'s polygon in pixels, in order; None where it has none.

    `where` names the file and the object for errors.

    Raises:
        UserError: a coordinate is missing, is no number or is far out, or the points are too few or too many.
    """
    polygon = element.find("polygon")
    if polygon is None:
        return None
    count = _count(polygon, where)
    return tuple(
        (_coordinate(polygon, f"x{n}", where), _coordinate(polygon, f"y{n}", where)) for n in range(1, count + 1)
    )


def _count(polygon: Element, where: str) -> int:
    """Points that there must be: two elements each."""
    count = (len(polygon) + 1) // 2
    if not 3 <= count <= MAX_POINTS:
        raise UserError(f"{where}: field polygon has {count} points, not 3 to {MAX_POINTS}; {REMEDY}")
    return count


def _coordinate(polygon: Element, field: str, where: str) -> float:
    texts = [(child.text or "").strip() for child in polygon.findall(field)]
    if len(texts) != 1:
        found = "is missing" if not texts else f"comes {len(texts)} times"
        raise UserError(f"{where}: field polygon/{field} {found}; {REMEDY}")
    try:
        number = float(texts[0])
    except ValueError:
        number = math.nan
    if not abs(number) <= MAX_COORDINATE:
        raise UserError(
            f"{where}: field polygon/{field} is {texts[0][:40]!r}, not a number up to {MAX_COORDINATE:.0f}; {REMEDY}"
        )
    return number
