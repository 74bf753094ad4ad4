"""Perturbation curves: f(x(k)) as the k most relevant patches are replaced, many steps a forward pass.

The steps of a curve do not depend on each other: x(k) = where(rank < k, fill, x). So all steps, fills, orders and
images share batches.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Logits = Callable[[Tensor, Tensor], Tensor]
"""(N×3×H×W perturbed images, N indices of the images that they come from) to N×C."""


@dataclass(frozen=True)
class Perturbation:
    """What is done to B images.

    Attributes:
        image: B×3×H×W, unperturbed.
        fills: F×B×3×H×W.
        ranks: O×B×H×W for O orders: the rank of the patch that a pixel lies in.
        steps: O; order o has steps[o] + 1 points on its curve.
        target: B, the class whose probability is followed.
    """

    image: Tensor
    fills: Tensor
    ranks: Tensor
    steps: list[int]
    target: Tensor


@dataclass(frozen=True)
class _Points:
    """N points of curves: the image, the order, the fill and the number of replaced patches of each."""

    image: Tensor
    order: Tensor
    fill: Tensor
    step: Tensor

    def __getitem__(self, part: slice) -> "_Points":
        return _Points(self.image[part], self.order[part], self.fill[part], self.step[part])


def morf_curves(perturbation: Perturbation, logits: Logits, batch_size: int) -> list[NDArray[np.float64]]:
    """Softmax probability of the target along every curve.

    f(x(0)) is scored once an image, by the same function as all others.

    Args:
        perturbation: images, fills and orders.
        logits: the model that is scored.
        batch_size: images a forward pass.

    Returns:
        O arrays B×F×(steps + 1).
    """
    points = _all_points(perturbation)
    parts = [
        _probabilities(perturbation, points[slice(start, start + batch_size)], logits)
        for start in range(0, len(points.step), batch_size)
    ]
    return _as_curves(torch.cat(parts).cpu().numpy(), perturbation)


def _all_points(perturbation: Perturbation) -> _Points:
    """The B unperturbed images, then every order's image × fill × step (1 ... L), the step running fastest."""
    images, fills = len(perturbation.image), len(perturbation.fills)
    grids = [torch.stack([torch.arange(images), *[torch.zeros(images, dtype=torch.int64)] * 3])]
    for order, steps in enumerate(perturbation.steps):
        axes = (torch.arange(images), torch.tensor([order]), torch.arange(fills), torch.arange(1, steps + 1))
        grids.append(torch.stack([axis.flatten() for axis in torch.meshgrid(*axes, indexing="ij")]))
    return _Points(*torch.cat(grids, dim=1).to(perturbation.image.device))


def _probabilities(perturbation: Perturbation, points: _Points, logits: Logits) -> Tensor:
    """f of N points: N float64, still on the device."""
    scores = logits(_perturbed(perturbation, points), points.image).double().softmax(1)  # N×C
    return scores.gather(1, perturbation.target[points.image].unsqueeze(1)).squeeze(1)


def _perturbed(perturbation: Perturbation, points: _Points) -> Tensor:
    """x(k) of N points: N×3×H×W."""
    image = perturbation.image[points.image]
    if not len(perturbation.ranks) or not len(perturbation.fills):
        return image
    ranks = perturbation.ranks[points.order, points.image]  # N×H×W
    replaced = ranks < points.step[:, None, None]
    return torch.where(replaced.unsqueeze(1), perturbation.fills[points.fill, points.image], image)


def _as_curves(values: NDArray[np.float64], perturbation: Perturbation) -> list[NDArray[np.float64]]:
    images, fills = len(perturbation.image), len(perturbation.fills)
    start = np.broadcast_to(values[:images, None, None], (images, fills, 1))
    lengths = [images * fills * steps for steps in perturbation.steps]
    ends = np.cumsum([images, *lengths])
    blocks = [
        values[begin:end].reshape(images, fills, steps)
        for begin, end, steps in zip(ends[:-1], ends[1:], perturbation.steps, strict=True)
    ]
    return [np.concatenate([start, block], axis=2) for block in blocks]
