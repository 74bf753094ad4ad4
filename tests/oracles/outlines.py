"""Slow, obvious: which pixels do outlines hold, and how are run lengths written?"""

from collections.abc import Sequence

import numpy as np


def inside_polygon(outline: Sequence[float], width: int, height: int) -> np.ndarray:
    """H×W bool: does a ray from the middle of the pixel to the left cross the outline an odd number of times?"""
    points = list(zip(outline[::2], outline[1::2], strict=True))
    inside = np.zeros((height, width), bool)
    for row in range(height):
        for column in range(width):
            x, y = column + 0.5, row + 0.5
            for (x0, y0), (x1, y1) in zip(points, points[1:] + points[:1], strict=True):
                if (y0 <= y) != (y1 <= y) and x0 + (y - y0) * (x1 - x0) / (y1 - y0) <= x:
                    inside[row, column] = not inside[row, column]
    return inside


def run_lengths(inside: np.ndarray) -> list[int]:
    """Of an H×W bool: outside first, down the columns from the left."""
    counts, state = [0], False
    for column in range(inside.shape[1]):
        for row in range(inside.shape[0]):
            if inside[row, column] != state:
                counts.append(0)
                state = not state
            counts[-1] += 1
    return counts


def compress(counts: Sequence[int]) -> str:
    """COCO's text of run lengths: from the fourth on the difference to the last but one, five bits a character."""
    text = ""
    for index, count in enumerate(counts):
        number = count - counts[index - 2] if index > 2 else count
        bits = 5
        while not -(1 << (bits - 1)) <= number < (1 << (bits - 1)):
            bits += 5
        two_complement = number & ((1 << bits) - 1)
        for digit in range(bits // 5):
            more = 32 if digit < bits // 5 - 1 else 0
            text += chr(48 + ((two_complement >> (5 * digit)) & 31) + more)
    return text
