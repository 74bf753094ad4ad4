"""The loss terms, pixel by pixel, in float64."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float64]
EPSILON = 1e-6


def sparsity(heat: Plane) -> float:
    """Of one image: heat is H×W."""
    return sum(abs(float(value)) for row in heat for value in row) / heat.size


def contiguity(heat: Plane) -> float:
    """Sum of the differences of neighbours, over the number of pixels."""
    height, width = heat.shape
    total = 0.0
    for i in range(height):
        for j in range(width):
            if i + 1 < height:
                total += abs(float(heat[i + 1, j]) - float(heat[i, j]))
            if j + 1 < width:
                total += abs(float(heat[i, j + 1]) - float(heat[i, j]))
    return total / (height * width)


def weak(heat: Plane, mask: Plane) -> float:
    """Mean heat outside the mask."""
    above = sum((1 - float(z)) * float(h) for h, z in zip(heat.flat, mask.flat, strict=True))
    below = sum(1 - float(z) for z in mask.flat) + EPSILON
    return abs(above / below)


def cross_entropy(logits: Plane, label: int) -> float:
    """Of one image: logits are C."""
    largest = max(float(value) for value in logits)
    total = sum(math.exp(float(value) - largest) for value in logits)
    return -(float(logits[label]) - largest - math.log(total))


def explanation(heat: Plane, mask: Plane, kind: str, beta: float, gamma: float) -> float:
    """beta * sparsity + (1 - beta) * contiguity (+ gamma * weak)."""
    value = beta * sparsity(heat) + (1 - beta) * contiguity(heat)
    return value + gamma * weak(heat, mask) if kind == "hybrid" else value


def weighted_cross_entropy(logits: Plane, labels: Sequence[int], class_weights: Sequence[float]) -> float:
    """Over a batch, B×C: weights are divided by their sum."""
    weights = [class_weights[label] for label in labels]
    each = [cross_entropy(row, label) for row, label in zip(logits, labels, strict=True)]
    return sum(w * e for w, e in zip(weights, each, strict=True)) / sum(weights)
