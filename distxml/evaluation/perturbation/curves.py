"""Perturbation curves: f(x(k)) as more and more patches are replaced.

The steps of a curve do not depend on each other: x(k) = where(rank < k, fill, x). So all steps, fills, curves and
images share batches. Points that several curves have in common are scored once: x(0) once per image, the image whose
patches are all replaced once per image and fill.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from distxml.config.evaluation import Output

EVERY_PATCH = 2**30
"""A step that no rank reaches: all patches are replaced."""

Logits = Callable[[Tensor, Tensor], Tensor]
"""(N×3×H×W perturbed images, N indices of the images that they come from) to N×C."""

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Perturbation:
    """What is done to B images.

    Attributes:
        image: B×3×H×W, unperturbed.
        fills: F×B×3×H×W.
        ranks: O×B×H×W int32 for O curves: the rank of the patch that a pixel lies in.
        counts: O; how many patches are replaced at each point of a curve: from 0 on, rising.
        complete: O; whether the last point has every patch replaced.
        target: B, the class that is followed.
    """

    image: Tensor
    fills: Tensor
    ranks: Tensor
    counts: list[tuple[int, ...]]
    complete: list[bool]
    target: Tensor


@dataclass(frozen=True)
class _Points:
    """N points of curves: the image, the curve, the fill and the number of replaced patches of each."""

    image: Tensor
    curve: Tensor
    fill: Tensor
    step: Tensor

    def __getitem__(self, part: slice) -> "_Points":
        return _Points(self.image[part], self.curve[part], self.fill[part], self.step[part])


def perturbation_curves(
    perturbation: Perturbation, logits: Logits, batch_size: int, output: Output = "probability"
) -> list[Values]:
    """f of the target along every curve, for each image and fill.

    Args:
        perturbation: images, fills and orders.
        logits: the model that is scored.
        batch_size: images per forward pass; only the last one may have fewer.
        output: whether f is the softmax probability or the logit.

    Returns:
        O arrays B×F×points.
    """
    points = _all_points(perturbation)
    parts = [
        _scores(perturbation, points[slice(start, start + batch_size)], logits, output)
        for start in range(0, len(points.step), batch_size)
    ]
    return _as_curves(torch.cat(parts).cpu().numpy(), perturbation)


def _all_points(perturbation: Perturbation) -> _Points:
    """B unperturbed images; B×F wholly replaced ones, if a curve ends there; then every curve's image × fill × step."""
    images, fills = len(perturbation.image), len(perturbation.fills)
    grids = [_grid(images, 0, 1, [0])]
    if any(perturbation.complete):
        grids.append(_grid(images, 0, fills, [EVERY_PATCH]))
    for curve, counts in enumerate(_own_counts(perturbation)):
        grids.append(_grid(images, curve, fills, counts))
    return _Points(*torch.cat(grids, dim=1).to(perturbation.image.device))


def _grid(images: int, curve: int, fills: int, counts: Sequence[int]) -> Tensor:
    """4×(images·fills·counts) indices, the number of replaced patches running fastest."""
    each_count = torch.tensor(counts, dtype=torch.long)  # there may be none
    axes = (torch.arange(images), torch.tensor([curve]), torch.arange(fills), each_count)
    return torch.stack([axis.flatten() for axis in torch.meshgrid(*axes, indexing="ij")])


def _own_counts(perturbation: Perturbation) -> list[tuple[int, ...]]:
    """Points of each curve that no other has: neither x(0) nor the wholly replaced image."""
    return [
        counts[1 : len(counts) - complete]
        for counts, complete in zip(perturbation.counts, perturbation.complete, strict=True)
    ]


def _scores(perturbation: Perturbation, points: _Points, logits: Logits, output: Output) -> Tensor:
    """f of N points: N float64, still on the device."""
    scores = logits(_perturbed(perturbation, points), points.image).double()  # N×C
    values = scores.softmax(1) if output == "probability" else scores
    return values.gather(1, perturbation.target[points.image].unsqueeze(1)).squeeze(1)


def _perturbed(perturbation: Perturbation, points: _Points) -> Tensor:
    """x(k) of N points: N×3×H×W."""
    image = perturbation.image[points.image]
    if not len(perturbation.ranks) or not len(perturbation.fills):
        return image
    replaced = perturbation.ranks[points.curve, points.image] < points.step[:, None, None]  # N×H×W
    return torch.where(replaced.unsqueeze(1), perturbation.fills[points.fill, points.image], image)


def _as_curves(values: Values, perturbation: Perturbation) -> list[Values]:
    images, fills = len(perturbation.image), len(perturbation.fills)
    own = [len(counts) for counts in _own_counts(perturbation)]
    ends = images * fills if any(perturbation.complete) else 0
    sizes = [images, ends, *[images * fills * points for points in own]]
    first, last, *blocks = np.split(values, np.cumsum(sizes)[:-1])
    start = np.broadcast_to(first[:, None, None], (images, fills, 1))
    curves = [
        np.concatenate([start, block.reshape(images, fills, points)], axis=2)
        for block, points in zip(blocks, own, strict=True)
    ]
    return [
        np.concatenate([curve, last.reshape(images, fills, 1)], axis=2) if complete else curve
        for curve, complete in zip(curves, perturbation.complete, strict=True)
    ]
