"""The polygon of an object in a Pascal VOC XML file, which is not trusted: `<polygon><x1/><y1/><x2/><y2/>...`."""

import math
from collections.abc import Sequence
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from distxml.errors import UserError

REMEDY = "mend the file, or move it away together with its image"
MOST_POINTS = 10_000
FURTHEST = 1_000_000.0
"""Pixels from the image's corner: more is no annotation, but a mistake."""
FINENESS = 4
"""Fine pixels along a pixel's side."""
STRIP = 256
"""Rows that are filled at once: the fine raster of a very large image would not fit into memory."""

Point = tuple[float, float]


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
    if not 3 <= count <= MOST_POINTS:
        raise UserError(f"{where}: field polygon has {count} points, not 3 to {MOST_POINTS}; {REMEDY}")
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
    if not abs(number) <= FURTHEST:
        raise UserError(
            f"{where}: field polygon/{field} is {texts[0][:40]!r}, not a number up to {FURTHEST:.0f}; {REMEDY}"
        )
    return number


def polygon_mask(points: Sequence[Point] | NDArray[np.float64], width: int, height: int) -> NDArray[np.uint8]:
    """H×W, 255 inside the polygon and 0 outside; a pixel that it cuts is inside, to a quarter of a pixel.

    Points may lie outside the image. Where the line crosses itself, the even-odd rule holds.
    """
    corners = np.asarray(points, np.float64)
    mask = np.zeros((height, width), np.uint8)
    for top in range(0, height, STRIP):
        rows = min(STRIP, height - top)
        fine = _fine_strip(corners - [0, top], width, rows).reshape(rows, FINENESS, width, FINENESS)
        mask[top : top + rows][fine.any(axis=(1, 3))] = 255
    return mask


def _fine_strip(corners: NDArray[np.float64], width: int, height: int) -> NDArray[np.bool_]:
    """Whether the middle of each fine pixel is inside: a walk along a row changes sides wherever it meets the line."""
    middles = (np.arange(height * FINENESS) + 0.5) / FINENESS
    changes = np.zeros((len(middles), width * FINENESS + 1), bool)
    for (x1, y1), (x2, y2) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        first, end = np.searchsorted(middles, sorted((y1, y2)))
        if first < end:
            meets = x1 + (middles[first:end] - y1) * (x2 - x1) / (y2 - y1)
            columns = np.clip(np.ceil(meets * FINENESS - 0.5), 0, width * FINENESS).astype(int)
            changes[np.arange(first, end), columns] ^= True
    return np.logical_xor.accumulate(changes[:, :-1], axis=1)
