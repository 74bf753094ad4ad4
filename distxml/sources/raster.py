"""Boxes and polygons, and the masks that they fill."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FINENESS = 4
"""Fine pixels along a pixel's side."""

STRIP = 256
"""Rows that are filled at once: the fine raster of a very large image would not fit into memory."""

Point = tuple[float, float]


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


def box_mask(boxes: Sequence[Box], width: int, height: int) -> NDArray[np.uint8]:
    """The union of boxes: H×W, 255 inside and 0 outside; a pixel that a box cuts is inside."""
    mask = np.zeros((height, width), np.uint8)
    for box in boxes:
        mask[math.floor(box.ymin) : math.ceil(box.ymax), math.floor(box.xmin) : math.ceil(box.xmax)] = 255
    return mask


@dataclass(frozen=True, slots=True)
class Polygons:
    """Closed outlines, their union; each as x, y, x, y, ... in pixels, the image's corner at 0, 0."""

    outlines: tuple[tuple[float, ...], ...]

    def fill(self, width: int, height: int) -> NDArray[np.bool_]:
        """H×W, true where the middle of the pixel is inside an outline (inside once, thrice: even-odd)."""
        inside = np.zeros((height, width), bool)
        for outline in self.outlines:
            inside |= _fill(outline, width, height)
        return inside


def _fill(outline: Sequence[float], width: int, height: int) -> NDArray[np.bool_]:
    """Every edge toggles the pixels to the right of it, in the rows whose middle it crosses."""
    toggles = np.zeros((height, width + 1), bool)
    points = list(zip(outline[::2], outline[1::2], strict=True))
    for (x0, y0), (x1, y1) in zip(points, points[1:] + points[:1], strict=True):
        low, high = min(y0, y1), max(y0, y1)
        rows = np.arange(max(math.ceil(low - 0.5), 0), min(math.ceil(high - 0.5), height))
        if len(rows) == 0:
            continue
        crossings = x0 + (rows + 0.5 - y0) * ((x1 - x0) / (y1 - y0))
        columns = np.clip(np.ceil(crossings - 0.5), 0, width).astype(np.int64)
        toggles[rows, columns] ^= True
    return np.logical_xor.accumulate(toggles, axis=1)[:, :width]
