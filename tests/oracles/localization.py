"""Energy inside the mask, the pointing game and POMPOM of equal area, pixel by pixel."""

import math

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float64]


def scaled(heat: Plane) -> Plane:
    """Divided by its maximum, if there is heat."""
    return heat / heat.max() if heat.max() > 0 else heat


def energy_inside(heat: Plane, mask: Plane) -> float | None:
    """Heat of the pixels inside over that of all; None where there is none, or nothing is inside."""
    pixels = [(float(h), bool(z)) for h, z in zip(heat.flat, mask.flat, strict=True)]
    total = math.fsum(h for h, _ in pixels)
    if total == 0 or not any(z for _, z in pixels):
        return None
    return math.fsum(h for h, z in pixels if z) / total


def pointing(heat: Plane, mask: Plane) -> float | None:
    """Chance that one of the hottest pixels, drawn blindly, lies inside; None where nothing is inside."""
    pixels = [(float(h), bool(z)) for h, z in zip(heat.flat, mask.flat, strict=True)]
    hits = [z for h, z in pixels if h == max(h for h, _ in pixels)]
    return sum(hits) / len(hits) if any(z for _, z in pixels) else None


def pompom_equal_area(heat: Plane, mask: Plane) -> float | None:
    """Mean chance of the pixels outside to be among the hottest, as many as are inside, ties drawn blindly."""
    pixels = [(float(h), bool(z)) for h, z in zip(heat.flat, mask.flat, strict=True)]
    places, outside = sum(z for _, z in pixels), [h for h, z in pixels if not z]
    if not places or not outside:
        return None
    chances = []
    for h in outside:
        left = places - sum(other > h for other, _ in pixels)  # for those that are as hot as this one
        chances.append(min(max(left / sum(other == h for other, _ in pixels), 0), 1))
    return math.fsum(chances) / len(chances)
