"""Shapes in an image: their outlines and the pixels that they cover."""

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from distxml.config.sources.polygon_figures import Figure

OVERSAMPLING = 4
FRACTION_BITS = 4
"""OpenCV takes coordinates as fixed-point numbers with this many fractional bits."""
CIRCLE_POINTS = 64
"""Points of the outline that stands for a circle where only a polygon will do; it strays by 0.12% of the radius."""


@dataclass(frozen=True)
class Shape:
    """A figure somewhere; lengths in pixels (0 is the image's edge), colour is RGB in [0, 1], angle in radians.

    Attributes:
        reach: radius of the circle around it.
        line: width of the line it is drawn with, which runs inside its border; None: it is filled.
    """

    figure: Figure
    centre: NDArray[np.float64]
    reach: float
    angle: float
    colour: NDArray[np.float64]
    line: float | None = None


def outline(shape: Shape) -> NDArray[np.float64]:
    """The corners of the shape in order, a star's points and notches in turn: N×2, x and y."""
    return _corners(shape, shape.reach)


def coverage(shape: Shape, side: int) -> NDArray[np.float64]:
    """Share of each pixel that the shape covers; side×side."""
    left, top = (math.floor(low) for low in shape.centre - shape.reach - 1)
    size = math.ceil(2 * shape.reach) + 3
    whole = _coverage(replace(shape, centre=shape.centre - [left, top]), size)
    covered = np.zeros((side, side))
    rows, columns = slice(max(top, 0), max(top + size, 0)), slice(max(left, 0), max(left + size, 0))
    inside = covered[rows, columns]
    inside[:] = whole[max(-top, 0) :, max(-left, 0) :][: inside.shape[0], : inside.shape[1]]
    return covered


def _coverage(shape: Shape, side: int) -> NDArray[np.float64]:
    """All of the shape, because OpenCV draws stray pixels where the border cuts a polygon."""
    fine = np.zeros((side * OVERSAMPLING, side * OVERSAMPLING), np.uint8)
    _fill(fine, shape, shape.reach, 255)
    if shape.line is not None:
        _fill(fine, shape, hole_reach(shape), 0)
    return np.asarray(cv2.resize(fine / 255, (side, side), interpolation=cv2.INTER_AREA), np.float64)


def hole_reach(shape: Shape) -> float:
    """Circumradius of what a shape that is drawn as a line leaves free."""
    assert shape.line is not None
    return shape.reach - shape.line / shape.figure.core


def _fill(fine: NDArray[np.uint8], shape: Shape, reach: float, value: int) -> None:
    if not shape.figure.vertices:
        x, y = (int(number) for number in _fixed_point(shape.centre))
        radius = round(reach * OVERSAMPLING * 2**FRACTION_BITS)
        cv2.circle(fine, (x, y), radius, (value,), thickness=cv2.FILLED, shift=FRACTION_BITS)
    elif shape.figure.step == 1:
        cv2.fillConvexPoly(fine, _fixed_point(_corners(shape, reach)), (value,), shift=FRACTION_BITS)
    else:
        cv2.fillPoly(fine, [_fixed_point(_corners(shape, reach))], (value,), shift=FRACTION_BITS)


def _corners(shape: Shape, reach: float) -> NDArray[np.float64]:
    figure = shape.figure
    if not figure.vertices:
        distances = np.full(CIRCLE_POINTS, reach)
    elif figure.step == 1:
        distances = np.full(figure.vertices, reach)
    else:
        distances = np.tile([reach, reach * figure.core], figure.vertices)
    turns = shape.angle + np.arange(len(distances)) * 2 * math.pi / len(distances)
    return shape.centre + distances[:, None] * np.stack([np.cos(turns), np.sin(turns)], axis=1)


def _fixed_point(pixels: NDArray[np.float64]) -> NDArray[np.int32]:
    """Positions in pixels (0 is the image's edge) as OpenCV's fixed-point ones (0 is the first fine pixel's centre)."""
    return np.rint((pixels * OVERSAMPLING - 0.5) * 2**FRACTION_BITS).astype(np.int32)
