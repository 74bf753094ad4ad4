"""Chooses the shapes of one image and their places."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from distxml.config.sources import PolygonsSource
from distxml.config.sources.polygon_figures import Figure, figure_of
from distxml.config.sources.polygons import GAP
from distxml.sources.polygons.shapes import Shape, hole_reach

TRIES = 200
"""Places that are tried for each shape."""
LAYOUTS = 500
"""Layouts that are tried for each image: the first shapes may lie so that no place is left for the last."""
UP = -math.pi / 2
"""The angle at which a vertex points up."""


class NoRoom(Exception):
    """No layout was found in which the shapes lie apart."""


@dataclass(frozen=True)
class Scene:
    """The shapes of an image.

    Attributes:
        shapes: the uppermost first. Where the dataset has an outer polygon, that is the first; else, in a positive
            image, the target is.
        inside: what the outer polygon encloses; drawn above the others.
        positive: whether there is a target that counts.
    """

    shapes: tuple[Shape, ...]
    inside: Shape | None
    positive: bool

    @property
    def region(self) -> Shape | None:
        """The shape that makes the image positive: the target, or the outer polygon around it."""
        return self.shapes[0] if self.positive else None

    @property
    def bottom_up(self) -> tuple[Shape, ...]:
        """Every shape, in the order in which they are drawn."""
        return (*reversed(self.shapes), *([] if self.inside is None else [self.inside]))


def choose_scene(
    settings: PolygonsSource, rng: np.random.Generator, positive: bool, background: NDArray[np.float64]
) -> Scene:
    """The first layout whose shapes lie as the settings want them.

    Args:
        settings: of the dataset.
        rng: what is drawn comes from it.
        positive: whether there is a target that counts.
        background: RGB in [0, 1].

    Raises:
        NoRoom: there is none among `LAYOUTS`.
    """
    layout = _Layout(settings, settings.others, rng, background)
    for _ in range(LAYOUTS):
        scene = layout.with_outer(positive) if settings.outer else layout.plain(positive)
        if _lie_apart(scene.shapes, settings):
            return scene
    raise NoRoom


def _lie_apart(shapes: Sequence[Shape], settings: PolygonsSource) -> bool:
    pairs = itertools.combinations(shapes, 2)
    if settings.overlap:
        pairs = ((shapes[0], other) for other in shapes[1:] if settings.outer)
    return all(np.linalg.norm(one.centre - other.centre) >= one.reach + other.reach + GAP for one, other in pairs)


@dataclass(frozen=True)
class _Layout:
    """Draws layouts from `rng`, each anew. For both classes the same numbers are drawn, whatever becomes of them."""

    settings: PolygonsSource
    others: tuple[Figure, ...]
    rng: np.random.Generator
    background: NDArray[np.float64]

    def plain(self, positive: bool) -> Scene:
        """The target, if wanted, and others."""
        shapes: list[Shape] = []
        for number in range(self._count()):
            shapes.append(self._outside(shapes, is_target=positive and number == 0))
        return Scene(tuple(shapes), None, positive)

    def with_outer(self, positive: bool) -> Scene:
        """An outer polygon that encloses the target, and others; or one that encloses another, and the target outside.

        So both classes have the same shapes, and only their places differ.
        """
        count = self._count()
        radius = self._radius()
        outer = self._outer(radius)
        inside = self._inside(outer, radius, is_target=positive)
        shapes = [outer]
        for number in range(count - 2):
            shapes.append(self._outside(shapes, is_target=not positive and number == 0))
        return Scene(tuple(shapes), inside, positive)

    def _count(self) -> int:
        return int(self.rng.integers(self.settings.shapes[0], self.settings.shapes[1] + 1))

    def _radius(self) -> float:
        return self.rng.uniform(*self.settings.radius) * self.settings.image_size

    def _outside(self, others: Sequence[Shape], is_target: bool) -> Shape:
        figure = self._figure(is_target)
        reach = self._radius() * figure.spread
        angle = self._angle()
        margin = 0 if self.settings.occlusion else reach
        centre = self._free_centre(reach, margin, self._in_the_way(others))
        return Shape(figure, centre, reach, angle, self._colour(is_target))

    def _in_the_way(self, others: Sequence[Shape]) -> Sequence[Shape]:
        """Those that a new shape must not overlap: the first is the outer polygon, if there is one."""
        if not self.settings.overlap:
            return others
        return others[:1] if self.settings.outer else []

    def _outer(self, radius: float) -> Shape:
        figure = figure_of(self.settings.outer or "")
        reach = self.settings.outer_reach(radius)
        centre = self._free_centre(reach, reach, [])
        return Shape(figure, centre, reach, self._angle(), self._colour(False), self.settings.line)

    def _inside(self, outer: Shape, radius: float, is_target: bool) -> Shape:
        figure = self._figure(is_target)
        reach = radius * figure.spread
        leeway = hole_reach(outer) * outer.figure.core - GAP - reach
        direction, share = self.rng.uniform(0, 2 * math.pi), math.sqrt(self.rng.uniform(0, 1))
        offset = leeway * share * np.array([math.cos(direction), math.sin(direction)])
        return Shape(figure, outer.centre + offset, reach, self._angle(), self._colour(is_target))

    def _figure(self, is_target: bool) -> Figure:
        other = self.others[int(self.rng.integers(len(self.others)))]  # of one, no random number is used up
        return figure_of(self.settings.target) if is_target else other

    def _angle(self) -> float:
        return self.rng.uniform(0, 2 * math.pi) if self.settings.rotation else UP

    def _free_centre(self, reach: float, margin: float, others: Sequence[Shape]) -> NDArray[np.float64]:
        """The first of `TRIES` random places that is clear of the other shapes, or else the one nearest to it."""
        places = self.rng.uniform(margin, self.settings.image_size - margin, size=(TRIES, 2))
        clearance = np.zeros(TRIES)
        for other in others:
            distance = np.linalg.norm(places - other.centre, axis=1)
            clearance = np.minimum(clearance, distance - reach - other.reach - GAP)
        return places[int(np.argmax(clearance))]  # argmax is the first of the largest

    def _colour(self, is_target: bool) -> NDArray[np.float64]:
        colour = self.rng.uniform(*_shades(self.background, self.settings), size=3)
        chosen = self.settings.target_colour if is_target else None
        return colour if chosen is None else np.array(chosen)


def _shades(background: NDArray[np.float64], settings: PolygonsSource) -> tuple[float, float]:
    """Light shades on a dark background, dark ones on a light one, and at least 0.3 away from its mean."""
    mean = float(background.mean())
    if settings.background is None or mean <= 0.5:
        return max(0.55, mean + 0.3), 1.0
    return 0.0, min(0.45, mean - 0.3)
