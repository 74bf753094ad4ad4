"""Draws circles and a triangle: one image of the polygons dataset."""

import itertools
import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from distxml.config.sources import PolygonsSource

OVERSAMPLING = 4
FRACTION_BITS = 4
"""OpenCV takes coordinates as fixed-point numbers with this many fractional bits."""
TRIES = 200
"""Places that are tried for each shape."""
LAYOUTS = 20
"""Layouts that are tried for each image: the first shapes may lie so that no place is left for the last."""
GAP = 1.0
"""Pixels between two shapes."""
EQUAL_AREA = math.sqrt(4 * math.pi / (3 * math.sqrt(3)))
"""Circumradius of the regular triangle that covers as much as the circle of radius 1: area does not tell the class."""


@dataclass(frozen=True)
class Shape:
    """A circle or a regular triangle; lengths in pixels, colour is RGB in [0, 1], angle in radians."""

    is_triangle: bool
    centre: NDArray[np.float64]
    reach: float
    angle: float
    colour: NDArray[np.float64]


@dataclass(frozen=True)
class Drawing:
    """An image and its region of interest.

    Attributes:
        image: H×W×3 uint8, RGB.
        mask: H×W uint8, 255 in the triangle's bounding box, 0 elsewhere.
    """

    image: NDArray[np.uint8]
    mask: NDArray[np.uint8]


def draw(settings: PolygonsSource, seed: int, index: int, with_triangle: bool) -> Drawing:
    """Image number `index`; a function of the arguments alone."""
    rng = np.random.default_rng([seed, index])
    side = settings.image_size
    canvas = np.full((side, side, 3), rng.uniform(0, 0.25, size=3))
    mask = np.zeros((side, side), np.uint8)
    shapes = place_shapes(settings, rng, with_triangle)
    for shape in reversed(shapes):  # the triangle is the first: on top, should the shapes be too many to lie apart
        coverage = _coverage(shape, side)
        canvas += coverage[..., None] * (shape.colour - canvas)
        if shape.is_triangle:
            _fill_bounding_box(mask, coverage)
    canvas += rng.normal(0, settings.noise, size=canvas.shape)
    return Drawing(np.rint(np.clip(canvas, 0, 1) * 255).astype(np.uint8), mask)


def place_shapes(settings: PolygonsSource, rng: np.random.Generator, with_triangle: bool) -> list[Shape]:
    """As many shapes as circles were asked for; the first is a triangle where one is wanted.

    The first layout whose shapes lie apart, or else the first of all.
    """
    layouts = (_layout(settings, rng, with_triangle) for _ in range(LAYOUTS))
    first = next(layouts)
    return next((layout for layout in itertools.chain([first], layouts) if _lie_apart(layout)), first)


def _lie_apart(shapes: list[Shape]) -> bool:
    return all(
        np.linalg.norm(one.centre - other.centre) >= one.reach + other.reach + GAP
        for one, other in itertools.combinations(shapes, 2)
    )


def _layout(settings: PolygonsSource, rng: np.random.Generator, with_triangle: bool) -> list[Shape]:
    side = settings.image_size
    shapes: list[Shape] = []
    for number in range(int(rng.integers(settings.circles[0], settings.circles[1] + 1))):
        is_triangle = with_triangle and number == 0
        reach = rng.uniform(*settings.radius) * side * (EQUAL_AREA if is_triangle else 1)
        angle = rng.uniform(0, 2 * math.pi)
        shapes.append(Shape(is_triangle, _free_centre(rng, side, reach, shapes), reach, angle, _light_colour(rng)))
    return shapes


def _free_centre(rng: np.random.Generator, side: int, reach: float, others: list[Shape]) -> NDArray[np.float64]:
    """The first of `TRIES` random places that is clear of the other shapes, or else the one that is nearest to it."""
    places = rng.uniform(reach, side - reach, size=(TRIES, 2))
    clearance = np.zeros(TRIES)
    for other in others:
        distance = np.linalg.norm(places - other.centre, axis=1)
        clearance = np.minimum(clearance, distance - reach - other.reach - GAP)
    return places[int(np.argmax(clearance))]  # argmax is the first of the largest


def _light_colour(rng: np.random.Generator) -> NDArray[np.float64]:
    return rng.uniform(0.55, 1, size=3)


def _coverage(shape: Shape, side: int) -> NDArray[np.float64]:
    """Share of each pixel that the shape covers; side×side."""
    fine = np.zeros((side * OVERSAMPLING, side * OVERSAMPLING), np.uint8)
    if shape.is_triangle:
        turns = shape.angle + np.arange(3) * 2 * math.pi / 3
        corners = shape.centre + shape.reach * np.stack([np.cos(turns), np.sin(turns)], axis=1)
        cv2.fillConvexPoly(fine, _fixed_point(corners), (255,), shift=FRACTION_BITS)
    else:
        x, y = (int(value) for value in _fixed_point(shape.centre))
        radius = round(shape.reach * OVERSAMPLING * 2**FRACTION_BITS)
        cv2.circle(fine, (x, y), radius, (255,), thickness=cv2.FILLED, shift=FRACTION_BITS)
    return np.asarray(cv2.resize(fine / 255, (side, side), interpolation=cv2.INTER_AREA), np.float64)


def _fixed_point(pixels: NDArray[np.float64]) -> NDArray[np.int32]:
    """Positions in pixels (0 is the image's edge) as OpenCV's fixed-point ones (0 is the first fine pixel's centre)."""
    return np.rint((pixels * OVERSAMPLING - 0.5) * 2**FRACTION_BITS).astype(np.int32)


def _fill_bounding_box(mask: NDArray[np.uint8], coverage: NDArray[np.float64]) -> None:
    rows, columns = np.nonzero(coverage)
    mask[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1] = 255
