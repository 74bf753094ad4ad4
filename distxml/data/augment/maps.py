"""Kernels and coordinate maps of augmentation: numbers alone, which either backend applies."""

import math

import numpy as np
from numpy.typing import NDArray

Kernel = NDArray[np.float32]
Size = tuple[int, int]
"""Height and width."""

IDENTITY: Kernel = np.array([[0, 0, 0], [0, 1, 0], [0, 0, 0]], np.float32)
EIGHT_NEIGHBOURS: Kernel = np.array([[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]], np.float32)


def box_kernel(size: int) -> Kernel:
    """The mean over a square: size×size, sums to 1."""
    return np.full((size, size), 1 / size**2, np.float32)


def motion_kernel(size: int, radians: float, begin: float, end: float) -> Kernel:
    """A line through the centre of size×size pixels; sums to 1.

    Args:
        size: pixels of a side.
        radians: direction of the line, from the x axis towards the y axis (down).
        begin, end: where the line starts and stops, in half sides from the centre (-1 to 1).
    """
    half = size // 2
    along = np.linspace(begin, end, 2 * size) * half
    rows = np.rint(half + math.sin(radians) * along).astype(int)
    columns = np.rint(half + math.cos(radians) * along).astype(int)
    kernel = np.zeros((size, size), np.float32)
    kernel[rows, columns] = 1
    return kernel / kernel.sum()


def sharpening_kernel(share: float, lightness: float) -> Kernel:
    """The image, mixed with `share` of its sharpened self; above 0 `lightness` also lightens."""
    return ((1 - share) * IDENTITY + share * (EIGHT_NEIGHBOURS + lightness * IDENTITY)).astype(np.float32)


def embossing_kernel(share: float, strength: float) -> Kernel:
    """The image, mixed with `share` of a relief lit from the top left."""
    s = strength
    relief = np.array([[-1 - s, -s, 0], [-s, 1, s], [0, s, 1 + s]], np.float32)
    return ((1 - share) * IDENTITY + share * relief).astype(np.float32)


def movement(size: Size, shift: tuple[float, float], scale: float, degrees: float) -> NDArray[np.float64]:
    """2×3 matrix from a pixel (x, y) of the result to where it comes from; pixels' centres are at whole numbers.

    Args:
        size: height and width, in pixels.
        shift: along x and y, as shares of the width and of the height.
        scale: factor about the centre; above 1 enlarges.
        degrees: turn about the centre, clockwise.
    """
    height, width = size
    centre = np.array([(width - 1) / 2, (height - 1) / 2])
    radians = math.radians(degrees)
    turn = np.array([[math.cos(radians), math.sin(radians)], [-math.sin(radians), math.cos(radians)]]) / scale
    moved = np.array([shift[0] * width, shift[1] * height])
    return np.hstack([turn, (centre - turn @ (centre + moved))[:, None]])


def lens_maps(size: Size, k: float) -> NDArray[np.float32]:
    """2×H×W: x and y where each pixel of the result comes from; mirrored at the borders.

    OpenCV's camera model with focal lengths of one side and k1 = k2 = k, as in albumentations' `OpticalDistortion`.
    """
    x, y = (_ramp(side) - np.float32(0.5 * (side - 1) / side) for side in size[::-1])  # from the centre, in sides
    square = x**2 + (y**2)[:, None]  # H×W
    factor = 1 + np.float32(k) * square * (1 + square)
    maps = np.empty((2, *size), np.float32)
    for plane, offset, side in ((maps[0], x, size[1]), (maps[1], y[:, None], size[0])):
        np.multiply(factor, offset * np.float32(side), out=plane)
        np.add(plane, np.float32((side - 1) / 2), out=plane)
        _mirror(plane, side)
    return maps


def grid_maps(size: Size, column_widths: NDArray[np.float64], row_heights: NDArray[np.float64]) -> NDArray[np.float32]:
    """2×H×W: x and y where each pixel of the result comes from.

    Equal columns of the result come from columns of the given widths, fitted to the image; rows likewise. The corners
    stay where they are.
    """
    maps = np.empty((2, *size), np.float32)
    maps[0] = _stretched(size[1], column_widths)
    maps[1] = _stretched(size[0], row_heights)[:, None]
    return maps


def piecewise_affine_maps(size: Size, movements: NDArray[np.float64]) -> NDArray[np.float32]:
    """2×H×W: x and y where each pixel of the result comes from.

    A regular grid of points covers the result to its borders. Each point comes from where it has moved to, and stays
    inside the image; the square between four points is two triangles, cut from top left to bottom right, and the map is
    affine in each: the warp of imgaug's `PiecewiseAffine`, which the paper's code uses through albumentations'
    `IAAPiecewiseAffine`.

    Args:
        size: height and width, in pixels.
        movements: 2×rows×columns, along x and y, as shares of the width and of the height; two of each at least.
    """
    (rows, down), (columns, along) = (_cells(*each) for each in zip(size, movements.shape[1:], strict=True))
    rows, down = rows[:, None], down[:, None]
    is_lower = down > along  # H×W: below its square's diagonal
    first, second = np.where(is_lower, down, along), np.where(is_lower, along, down)
    still = np.meshgrid(*(np.linspace(0, 1, count) for count in movements.shape[:0:-1]))  # x and y, rows×columns each
    maps = np.empty((2, *size), np.float32)
    for plane, start, moved, side in zip(maps, still, movements, size[::-1], strict=True):
        points = (start * (side - 1) + moved * side).clip(0, side - 1)
        corner, opposite = points[rows, columns], points[rows + 1, columns + 1]
        third = np.where(is_lower, points[rows + 1, columns], points[rows, columns + 1])
        plane[:] = corner + first * (third - corner) + second * (opposite - third)
    return maps


def _cells(side: int, points: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Of each pixel along a side: which of the spaces between so many points it lies in, and how far along, 0 to 1."""
    places = np.linspace(0, points - 1, side)
    cells = np.minimum(places.astype(np.int64), points - 2)
    return cells, places - cells


def _ramp(side: int) -> NDArray[np.float32]:
    return np.arange(side, dtype=np.float32) / np.float32(side)


def _stretched(side: int, parts: NDArray[np.float64]) -> NDArray[np.float64]:
    knots = np.concatenate([[0.0], np.cumsum(parts)]) / parts.sum()
    return np.interp(np.linspace(0, 1, side), np.linspace(0, 1, len(knots)), knots) * (side - 1)


def _mirror(coordinates: NDArray[np.float32], side: int) -> None:
    """Mirror those outside 0..side-1 at the outermost pixel's centre, in place; they are less than a side outside."""
    last = np.float32(side - 1)
    np.abs(coordinates, out=coordinates)
    np.subtract(last, np.abs(last - coordinates), out=coordinates)
