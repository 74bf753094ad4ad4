"""POMPOM, pixel by pixel."""

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float64]
EPSILON = 1e-6


def pompom(heat: Plane, mask: Plane) -> tuple[float, float]:
    """Share of the pixels outside the mask that have heat, and the same count over all pixels."""
    pairs = [(float(h), float(z)) for h, z in zip(heat.flat, mask.flat, strict=True)]
    hot = sum(1 for h, z in pairs if (1 - z) * h > EPSILON)
    outside = sum(1 for _, z in pairs if (1 - z) > EPSILON)
    return hot / (outside + EPSILON), hot / len(pairs)
