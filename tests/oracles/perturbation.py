"""Perturbed images and their curves, one step at a time, in float64."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tests.oracles import patches as patch_oracle

Image = NDArray[np.float64]


def perturbed(image: Image, fill: Image, order: Sequence[int], side: int, k: int) -> Image:
    """3×H×W with the first k patches of the order taken from the fill."""
    result = image.copy()
    pixels = patch_oracle.patches(image.shape[1], image.shape[2], side)
    for patch in order[:k]:
        for i, j in pixels[patch]:
            result[:, i, j] = fill[:, i, j]
    return result


def steps_of(image: Image, fill: Image, order: Sequence[int], side: int, steps: int) -> list[Image]:
    """x(0) ... x(L), L no more than there are patches."""
    return [perturbed(image, fill, order, side, k) for k in range(min(steps, len(order)) + 1)]


def followed(logits: Sequence[float], target: int, output: str) -> float:
    """The target's softmax probability, or its logit."""
    if output == "logit":
        return logits[target]
    highest = max(logits)
    weights = [math.exp(logit - highest) for logit in logits]
    return weights[target] / math.fsum(weights)


def aopc(curves: Sequence[Sequence[float]]) -> float:
    """1/(L+1) times the mean over images of the sum of the drops."""
    sums = [sum(values[0] - value for value in values) for values in curves]
    return sum(sums) / len(sums) / len(curves[0])


def blur(image: Image, sigma: float, radius: int) -> Image:
    """Gaussian blur of 3×H×W, mirrored beyond the border (the border pixel is not repeated)."""
    weights = [math.exp(-0.5 * (offset / sigma) ** 2) for offset in range(-radius, radius + 1)]
    kernel = [weight / sum(weights) for weight in weights]
    return _along(_along(image, kernel, radius, 1), kernel, radius, 2)


def _along(image: Image, kernel: Sequence[float], radius: int, axis: int) -> Image:
    length = image.shape[axis]
    result = np.zeros_like(image)
    for position in range(length):
        for offset, weight in zip(range(-radius, radius + 1), kernel, strict=True):
            source = abs(position + offset)
            source = 2 * (length - 1) - source if source >= length else source
            target = [slice(None)] * 3
            target[axis] = position  # pyright: ignore[reportCallIssue, reportArgumentType]
            result[tuple(target)] += weight * image.take(source, axis)
    return result
