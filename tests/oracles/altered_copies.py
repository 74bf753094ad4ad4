"""Occlusion sensitivity and RISE: window by window, mask by mask, pixel by pixel."""

import math
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Plane = NDArray[np.float64]
Probability = Callable[[Tensor], float]
"""Of the target, of one image 1×3×H×W."""


def occlusion(image: Tensor, side: int, stride: int, probability: Probability) -> Plane:
    """H×W: at each pixel the mean fall of the probability over the gray windows that cover it."""
    height, width = image.shape[2:]
    whole = probability(image)
    falls: list[list[list[float]]] = [[[] for _ in range(width)] for _ in range(height)]
    top = 0
    while True:
        left = 0
        while True:
            covered = image.clone()
            covered[:, :, top : top + side, left : left + side] = 0.5
            fall = whole - probability(covered)
            for i in range(top, min(top + side, height)):
                for j in range(left, min(left + side, width)):
                    falls[i][j].append(fall)
            if left + side >= width:
                break
            left += stride
        if top + side >= height:
            break
        top += stride
    return np.array([[math.fsum(found) / len(found) for found in row] for row in falls])


def rise(image: Tensor, masks: Tensor, probability: Probability) -> Plane:
    """H×W: sum of the masks, N×1×H×W, each times the probability of the image under it, over N and their mean, 0.5."""
    total = torch.zeros(image.shape[2:], dtype=torch.float64)
    for mask in masks:
        total += probability(image * mask) * mask[0].double()
    return (total / (0.5 * len(masks))).numpy()


def enlarged(cells: NDArray[np.bool_], height: int, width: int) -> Plane:
    """h×w cells bilinearly to H×W: the centre of a corner cell is half a cell inside, nothing changes beyond it."""
    rows, columns = cells.shape
    fine = np.zeros((height, width))
    for i in range(height):
        for j in range(width):
            y = min(max((i + 0.5) * rows / height - 0.5, 0), rows - 1)
            x = min(max((j + 0.5) * columns / width - 0.5, 0), columns - 1)
            for row in {int(y), min(int(y) + 1, rows - 1)}:
                for column in {int(x), min(int(x) + 1, columns - 1)}:
                    fine[i, j] += cells[row, column] * (1 - abs(y - row)) * (1 - abs(x - column))
    return fine
