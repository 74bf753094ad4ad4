"""From a heatmap to the order in which patches are replaced: most relevant first (MoRF) or last (LeRF)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from distxml.config.evaluation import Order
from distxml.config.seeds import seed_from

Scores = NDArray[np.float64]
Ranks = NDArray[np.int32]


@dataclass(frozen=True)
class PatchOrder:
    """When each patch is replaced, for B images.

    Attributes:
        ranks: B×ny×nx int32; 0 is replaced first. Every image holds 0 ... ny·nx − 1 once.
        tie_share: B float64; share of the patches whose score equals that of another patch of the image.
    """

    ranks: Ranks
    tie_share: Scores

    @property
    def patches(self) -> int:
        """Patches per image."""
        return self.ranks.shape[1] * self.ranks.shape[2]


def patch_count(image_size: tuple[int, int], patch_size: int) -> int:
    """Patches of an image; those at the lower and right border may be smaller."""
    height, width = image_size
    return -(-height // patch_size) * -(-width // patch_size)


def patch_areas(image_size: tuple[int, int], patch_size: int) -> Scores:
    """Of each patch the share of the image that it covers: ny×nx, adding up to 1; less for what the border cuts off."""
    rows, columns = (
        np.minimum(patch_size, size - np.arange(0, size, patch_size)).astype(np.float64) for size in image_size
    )
    return np.outer(rows, columns) / (image_size[0] * image_size[1])


def replaced_shares(
    order: PatchOrder, patch_size: int, image_size: tuple[int, int], counts: Sequence[int]
) -> NDArray[np.float64]:
    """Share of each of B images that is replaced once these many patches are: B×len(counts)."""
    areas = np.broadcast_to(patch_areas(image_size, patch_size).ravel(), (len(order.ranks), order.patches))
    by_rank = np.take_along_axis(areas, order.ranks.reshape(len(areas), -1).argsort(1), axis=1)
    replaced = np.concatenate([np.zeros((len(areas), 1)), by_rank.cumsum(1)], axis=1)
    replaced[:, -1] = 1  # as is the sum, but for rounding
    return replaced[:, list(counts)]


def patch_scores(heatmap: Tensor, patch_size: int) -> Scores:
    """Mean heat of every p×p patch: B×1×H×W to B×ny×nx.

    A patch that the border cuts off is averaged over the pixels that it has. Sums are in float64, where those of
    equal float32 values are exact, so that patches that tie do tie.
    """
    means = F.avg_pool2d(heatmap.double(), patch_size, ceil_mode=True, count_include_pad=False)
    return means.squeeze(1).cpu().numpy()


def patch_order(heatmap: Tensor, patch_size: int, keys: Sequence[str], seed: int, order: Order = "morf") -> PatchOrder:
    """Patches by descending (MoRF) or ascending (LeRF) score; ties in an order that depends on (seed, key, patch size)
    alone, the same in both.

    Args:
        heatmap: B×1×H×W, no NaN.
        patch_size: side in pixels.
        keys: B names.
        seed: of the run.
        order: which patches come first.
    """
    scores = patch_scores(heatmap, patch_size)
    rows = [score.ravel() for score in scores]
    first = [row if order == "lerf" else -row for row in rows]
    ranks = [_ranks(row, tie_order(key, patch_size, row.size, seed)) for row, key in zip(first, keys, strict=True)]
    shares = [_tie_share(row) for row in rows]
    return PatchOrder(np.stack(ranks).reshape(scores.shape), np.array(shares))


def tie_order(key: str, patch_size: int, patches: int, seed: int) -> NDArray[np.int64]:
    """A random permutation of the patches: the same in every process, and for every method.

    Args:
        key: name of the image.
        patch_size: side in pixels.
        patches: how many the image has.
        seed: of the run.
    """
    return np.random.default_rng(seed_from("ties", seed, patch_size, key)).permutation(patches)


def rank_of_pixels(order: PatchOrder, patch_size: int, image_size: tuple[int, int]) -> Tensor:
    """The rank of the patch that each pixel lies in: B×H×W int32."""
    ranks = torch.from_numpy(order.ranks).repeat_interleave(patch_size, 1).repeat_interleave(patch_size, 2)
    return ranks[:, : image_size[0], : image_size[1]].contiguous()


def _ranks(values: Scores, ties: NDArray[np.int64]) -> Ranks:
    order = np.lexsort((ties, values))  # by value, then by the tie order
    ranks = np.empty(len(values), np.int32)
    ranks[order] = np.arange(len(values), dtype=np.int32)
    return ranks


def _tie_share(scores: Scores) -> float:
    _, counts = np.unique(scores, return_counts=True)
    return float(counts[counts > 1].sum() / len(scores))
