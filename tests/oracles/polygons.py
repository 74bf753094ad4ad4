"""Slow and obvious: which points lie in {p/q}, and in a polygon that is given by its corners."""

import cmath
import math


def winds_around(corners: list[complex], point: complex) -> int:
    """How often the closed line through the corners runs around the point: the sum of the turns, in full circles."""
    turned = sum(
        cmath.phase((end - point) / (start - point))
        for start, end in zip(corners, corners[1:] + corners[:1], strict=True)
    )
    return round(turned / (2 * math.pi))


def star_line(p: int, q: int, centre: complex, reach: float, angle: float) -> list[complex]:
    """p points on a circle in the order in which the line visits them: each joined to the q-th after it."""
    return [centre + cmath.rect(reach, angle + 2 * math.pi * (step * q % p) / p) for step in range(p)]


def runs_around(corners: list[complex], point: complex) -> bool:
    """Whether the line runs around the point at all."""
    return winds_around(corners, point) != 0


def distance_to_line(corners: list[complex], point: complex) -> float:
    """Distance to the nearest of the closed line's pieces."""
    pieces = zip(corners, corners[1:] + corners[:1], strict=True)
    return min(_distance(start, end, point) for start, end in pieces)


def _distance(start: complex, end: complex, point: complex) -> float:
    along = end - start
    share = ((point - start) * along.conjugate()).real / abs(along) ** 2
    return abs(point - start - min(1.0, max(0.0, share)) * along)
