"""Reads one Pascal VOC annotation file, which is not trusted."""

import math
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import parse

from distxml.errors import UserError
from distxml.sources.voc_polygon import Point, read_polygon

REMEDY = "mend the file, or move it away together with its image"


@dataclass(frozen=True)
class Box:
    """Corners in pixels; the pixels from (xmin, ymin) up to but without (xmax, ymax) are inside."""

    xmin: float
    ymin: float
    xmax: float
    ymax: float

    @property
    def area(self) -> float:
        """Square pixels."""
        return (self.xmax - self.xmin) * (self.ymax - self.ymin)

    def __str__(self) -> str:
        return f"[xmin {self.xmin:g}, ymin {self.ymin:g}, xmax {self.xmax:g}, ymax {self.ymax:g}]"


@dataclass(frozen=True)
class AnnotatedObject:
    """One `<object>`; `number` counts from 1 in the file. A `polygon` (x, y in pixels) says more than its `box`."""

    number: int
    name: str
    box: Box
    polygon: tuple[Point, ...] | None = None

    def __str__(self) -> str:
        return f"object {self.number} ({self.name}) {self.box}"


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


def read_annotation(path: Path) -> Annotation:
    """The annotation in `path`.

    Raises:
        UserError: the file is not XML, declares a DTD or entities, lacks a field, or holds a wrong value.
    """
    root = _parse(path)
    if root.tag != "annotation":
        raise UserError(f"{path}: the root is <{root.tag}>, not a Pascal VOC <annotation>; {REMEDY}")
    objects = tuple(_object(path, number, element) for number, element in enumerate(root.findall("object"), start=1))
    return Annotation(path, _text(root, "filename"), _size(path, root), objects)


def _parse(path: Path) -> Element:
    try:
        root = parse(path, forbid_dtd=True).getroot()
    except DefusedXmlException as error:
        raise UserError(f"{path}: refused, because it declares a DTD or entities ({error}); {REMEDY}") from None
    except (ParseError, ValueError, LookupError) as error:
        raise UserError(f"{path}: not valid XML ({error}); {REMEDY}") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror or error}); {REMEDY}") from None
    assert root is not None  # a document without a root is a ParseError
    return root


def _object(path: Path, number: int, element: Element) -> AnnotatedObject:
    where = f"{path}: object {number}"
    name = _text(element, "name")
    if name is None:
        raise UserError(f"{where}: field name is missing or empty; {REMEDY}")
    if not name.isprintable():
        raise UserError(f"{where}: field name {name[:40]!a} holds characters that cannot be printed; {REMEDY}")
    xmin, ymin, xmax, ymax = (
        _number(f"{where} ({name})", element, f"bndbox/{corner}") for corner in ("xmin", "ymin", "xmax", "ymax")
    )
    box = Box(xmin, ymin, xmax, ymax)
    for low, high, axis in ((xmin, xmax, "x"), (ymin, ymax, "y")):
        if low >= high:
            raise UserError(f"{where} ({name}): box {box} has {axis}min >= {axis}max; {REMEDY}")
    return AnnotatedObject(number, name, box, read_polygon(element, f"{where} ({name})"))


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
