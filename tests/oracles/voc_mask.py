"""Slow, obvious: is this pixel in one of these boxes?"""

from collections.abc import Sequence

import numpy as np


def mask_of_boxes(boxes: Sequence[tuple[int, int, int, int]], width: int, height: int) -> np.ndarray:
    """H×W uint8, 255 where xmin <= x < xmax and ymin <= y < ymax for any (xmin, ymin, xmax, ymax)."""
    mask = np.zeros((height, width), np.uint8)
    for y in range(height):
        for x in range(width):
            for xmin, ymin, xmax, ymax in boxes:
                if xmin <= x < xmax and ymin <= y < ymax:
                    mask[y, x] = 255
    return mask
