"""Figures of the polygons source: circles, regular polygons and star polygons, written `circle`, `6/1` or `5/2`.

`p/q`: p points on a circle, each joined to the q-th after it; what the closed line runs around is filled. Lengths are
in units of the figure's circumradius.
"""

import math
from dataclasses import dataclass

MAX_VERTICES = 100
NAMES = {(3, 1): "triangle", (4, 1): "square", (5, 1): "pentagon", (5, 2): "pentagram", (6, 1): "hexagon"}


@dataclass(frozen=True)
class Figure:
    """`vertices`/`step`; a circle has neither, both are 0."""

    vertices: int
    step: int

    def __str__(self) -> str:
        return f"{self.vertices}/{self.step}" if self.vertices else "circle"

    @property
    def name(self) -> str:
        """What people call it: `triangle`, `pentagram`, `7/3 star`."""
        if not self.vertices:
            return "circle"
        return NAMES.get((self.vertices, self.step), f"{self} {'polygon' if self.step == 1 else 'star'}")

    @property
    def core(self) -> float:
        """Radius of the largest circle around the centre that lies inside.

        A polygon's sides touch it in their middles, a star's notches reach down to it.
        """
        if not self.vertices:
            return 1.0
        return math.cos(math.pi * self.step / self.vertices) / math.cos(math.pi * (self.step - 1) / self.vertices)

    @property
    def area(self) -> float:
        """Area that is filled: a star is 2p triangles between the centre, a point and a notch (or a side's middle)."""
        if not self.vertices:
            return math.pi
        return self.vertices * self.core * math.sin(math.pi / self.vertices)

    @property
    def spread(self) -> float:
        """Circumradius of the one that covers as much as the circle of radius 1."""
        return math.sqrt(math.pi / self.area)


CIRCLE = Figure(0, 0)


def figure_of(text: str) -> Figure:
    """The figure that is written `circle`, `p/q` or `p` (q is 1).

    Raises:
        ValueError: it is none; the message is the reason.
    """
    if text == "circle":
        return CIRCLE
    numbers = text.split("/")
    if len(numbers) > 2 or not all(number.isascii() and number.isdigit() and len(number) < 9 for number in numbers):
        raise ValueError(f"{text!r} is no figure; write circle, or p/q such as 3/1 (a triangle) or 5/2 (a pentagram)")
    vertices, step = (int(number) for number in (*numbers, "1")[:2])
    _require_one_polygon(vertices, step)
    return Figure(vertices, step)


def _require_one_polygon(p: int, q: int) -> None:
    if not 3 <= p <= MAX_VERTICES:
        raise ValueError(f"{p}/{q} has {p} vertices; a polygon here has 3 to {MAX_VERTICES}")
    if q < 1:
        raise ValueError(f"{p}/{q} joins no two vertices; q must be at least 1")
    if 2 * q >= p:
        raise ValueError(f"{p}/{q} is no polygon: q must be less than p/2 (from there on it repeats, or is a line)")
    parts = math.gcd(p, q)
    if parts > 1:
        raise ValueError(
            f"{p}/{q} is {parts} figures {p // parts}/{q // parts} on one another; use p, q without a factor"
        )


def figures_between(least: int, most: int) -> list[Figure]:
    """Every polygon and star polygon of `least` to `most` vertices, by vertices, then step."""
    return [Figure(p, q) for p in range(least, most + 1) for q in range(1, (p + 1) // 2) if math.gcd(p, q) == 1]
