"""A piecewise affine map, one pixel and one triangle at a time."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]


def piecewise_affine(height: int, width: int, movements: Points) -> Points:
    """2×H×W: x and y where each pixel comes from; `movements` (2×rows×columns) are shares of the width and height."""
    _, rows, columns = movements.shape
    found = np.full((2, height, width), np.nan)
    for corners in _triangles(rows, columns):
        places = [(j * (width - 1) / (columns - 1), i * (height - 1) / (rows - 1)) for i, j in corners]
        moved = []
        for (i, j), (x, y) in zip(corners, places, strict=True):
            to_x, to_y = x + movements[0, i, j] * width, y + movements[1, i, j] * height
            moved.append((min(max(to_x, 0), width - 1), min(max(to_y, 0), height - 1)))
        solve = np.linalg.inv(np.vstack([np.transpose(places), np.ones(3)]))  # pixel to shares of the three corners
        for row in range(height):
            for column in range(width):
                shares = solve @ (column, row, 1)
                if (shares > -1e-9).all():
                    found[:, row, column] = shares @ np.array(moved)
    return found


def _triangles(rows: int, columns: int) -> Iterator[list[tuple[int, int]]]:
    """Each square between four points, cut from top left to bottom right."""
    for i in range(rows - 1):
        for j in range(columns - 1):
            yield [(i, j), (i + 1, j), (i + 1, j + 1)]
            yield [(i, j), (i, j + 1), (i + 1, j + 1)]
