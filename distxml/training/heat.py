"""What a batch of heatmaps looks like: how much of it is black or white, and whether it depends on the image at all."""

import torch
from torch import Tensor

EPSILON = 1e-6


def share_below(heatmap: Tensor, bound: float) -> Tensor:
    """Share of each heatmap's pixels below `bound`: B×1×H×W to B."""
    return (heatmap < bound).float().mean((1, 2, 3))


def share_above(heatmap: Tensor, bound: float) -> Tensor:
    """Share of each heatmap's pixels above `bound`: B×1×H×W to B."""
    return (heatmap > bound).float().mean((1, 2, 3))


def difference_to_next(heatmap: Tensor) -> Tensor:
    """How much each heatmap differs from the next one of the batch, the last from the first: B×1×H×W to B.

    The sum over pixels of |h - h'| over that of h + h': 0 where both are the same, 1 where no pixel is lit in both.
    """
    heatmap = heatmap.float()
    following = heatmap.roll(-1, 0)
    apart = (heatmap - following).abs().sum((1, 2, 3))
    return apart / (heatmap + following).sum((1, 2, 3)).clamp_min(EPSILON)


def pairs_that_count(weight: Tensor) -> Tensor:
    """1 for each image that counts and whose next one in the batch is another that counts, else 0: B to B."""
    return weight * weight.roll(-1, 0) if len(weight) > 1 else torch.zeros_like(weight)
