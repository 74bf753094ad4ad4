"""Energy inside the mask and the pointing game, pixel by pixel."""

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
