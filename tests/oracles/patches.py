"""Patches and their order, one at a time, in float64."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float64]
Corner = tuple[int, int]


def patches(height: int, width: int, side: int) -> list[list[Corner]]:
    """The pixels of each patch, patches row by row; at the border they may be fewer than side²."""
    found: list[list[Corner]] = []
    for top in range(0, height, side):
        for left in range(0, width, side):
            rows, columns = range(top, min(top + side, height)), range(left, min(left + side, width))
            found.append([(i, j) for i in rows for j in columns])
    return found


def scores(heat: Plane, side: int) -> list[float]:
    """Mean heat of each patch, its sum exactly rounded."""
    height, width = heat.shape
    return [math.fsum(float(heat[at]) for at in patch) / len(patch) for patch in patches(height, width, side)]


def order(values: Sequence[float], ties: Sequence[int], direction: str = "morf") -> list[int]:
    """Indices of the patches, the highest score first (`morf`) or the lowest (`lerf`).

    Among equals, the one with the lower number in `ties`.
    """
    remaining = list(range(len(values)))
    found: list[int] = []
    while remaining:
        best = remaining[0]
        for candidate in remaining[1:]:
            higher, lower = values[candidate] > values[best], values[candidate] < values[best]
            first = higher if direction == "morf" else lower
            if first or (values[candidate] == values[best] and ties[candidate] < ties[best]):
                best = candidate
        found.append(best)
        remaining.remove(best)
    return found


def tie_share(values: Sequence[float]) -> float:
    """Share of the patches that another one equals."""
    return sum(1 for i, a in enumerate(values) if any(a == b for j, b in enumerate(values) if i != j)) / len(values)
