"""Boxes and polygons, and the pixels that they fill. Lengths are in pixels; 0, 0 is the image's corner, y runs down.

The filling is ours, because no library has these rules: OpenCV rounds corners to whole pixels' middles and draws the
border as well, Pillow likewise, and pycocotools blurs polygons by its own sampling.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FINENESS = 4
"""Fine pixels along a pixel's side, where a pixel is inside that a polygon only cuts."""

STRIP = 256
"""Rows that are filled at once: the fine raster of a very large image would not fit into memory."""

Size = tuple[int, int]
"""Width and height in pixels."""

Point = tuple[float, float]


def size_in_words(size: Size) -> str:
    """Such as `640x480`."""
    return f"{size[0]}x{size[1]}"


@dataclass(frozen=True)
class Box:
    """The pixels from (xmin, ymin) up to but without (xmax, ymax) are inside."""

    xmin: float
    ymin: float
    xmax: float
    ymax: float

    @property
    def area(self) -> float:
        """Square pixels."""
        return (self.xmax - self.xmin) * (self.ymax - self.ymin)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is inside."""
        return self.xmin >= self.xmax or self.ymin >= self.ymax

    def clipped(self, size: Size) -> "Box":
        """The part of it that is inside an image of that size; empty where all of it is outside."""
        width, height = size
        return Box(max(self.xmin, 0), max(self.ymin, 0), min(self.xmax, width), min(self.ymax, height))

    def __str__(self) -> str:
        return f"[xmin {self.xmin:g}, ymin {self.ymin:g}, xmax {self.xmax:g}, ymax {self.ymax:g}]"


def box_mask(boxes: Sequence[Box], width: int, height: int) -> NDArray[np.uint8]:
    """The union of boxes within the image: H×W, 255 inside and 0 outside; a pixel that a box cuts is inside."""
    mask = np.zeros((height, width), np.uint8)
    for box in boxes:
        mask[math.floor(box.ymin) : math.ceil(box.ymax), math.floor(box.xmin) : math.ceil(box.xmax)] = 255
    return mask


def polygon_mask(points: Sequence[Point] | NDArray[np.float64], width: int, height: int) -> NDArray[np.uint8]:
    """H×W, 255 inside the polygon and 0 outside; a pixel that it cuts is inside, to a quarter of a pixel.

    Points may lie outside the image. Where the line crosses itself, the even-odd rule holds.
    """
    corners = np.asarray(points, np.float64)
    mask = np.zeros((height, width), np.uint8)
    for top in range(0, height, STRIP):
        rows = min(STRIP, height - top)
        fine = inside_polygon(corners - [0, top], width, rows, FINENESS).reshape(rows, FINENESS, width, FINENESS)
        mask[top : top + rows][fine.any(axis=(1, 3))] = 255
    return mask


def inside_polygon(corners: NDArray[np.float64], width: int, height: int, fineness: int = 1) -> NDArray[np.bool_]:
    """Whether the middle of each pixel is inside: a walk along a row changes sides wherever it meets the line.

    Args:
        corners: N×2, x and y; they may lie outside the image.
        width: of the image.
        height: of the image.
        fineness: fine pixels along a pixel's side.

    Returns:
        (H·fineness)×(W·fineness), by the even-odd rule; a middle on a left or upper border is inside.
    """
    middles = (np.arange(height * fineness) + 0.5) / fineness
    changes = np.zeros((len(middles), width * fineness + 1), bool)
    for (x1, y1), (x2, y2) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        first, end = np.searchsorted(middles, sorted((y1, y2)))
        if first < end:
            meets = x1 + (middles[first:end] - y1) * (x2 - x1) / (y2 - y1)
            columns = np.clip(np.ceil(meets * fineness - 0.5), 0, width * fineness).astype(int)
            changes[np.arange(first, end), columns] ^= True
    return np.logical_xor.accumulate(changes[:, :-1], axis=1)
