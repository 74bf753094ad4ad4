"""RISE: random masks, weighted by the probability of the image under each."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from distxml.attribution.copies import COPIES_PER_PASS, generator_of, probabilities
from distxml.attribution.explained_model import ExplainedModel

CELLS = 7
"""h and w of the source: cells of a mask, a side."""
KEPT = 0.5
"""p of the source: the chance of a cell to be kept, and the mean of all masks."""


class RandomMasks:
    """S = 1 / (p · N) · Σ f(image ⊙ M) · M over N random masks M in [0, 1], f being the target's probability.

    A mask is a grid of 7×7 cells, each kept (1) with a chance of a half, otherwise dimmed to black (0), enlarged
    bilinearly and shifted at random by less than a cell. Masks are drawn for each image by its pixels and the run's
    seed.

    Source: Petsiuk, Das, Saenko, "RISE: Randomized Input Sampling for Explanation of Black-box Models" (BMVC 2018),
    equation 6 and section 3.3; there 4,000 and 8,000 masks, here `rise_masks`.
    """

    def __init__(self, explained: ExplainedModel, rise_masks: int, seed: int) -> None:
        self.explained, self.masks, self.seed = explained, rise_masks, seed

    def heatmap(self, image: Tensor, target: Tensor) -> Tensor:
        """B×3×H×W to B×1×H×W, not negative and hardly anywhere 0."""
        pairs = zip(image.split(1), target.tolist(), strict=True)
        return torch.cat([self._of_one(one, index) for one, index in pairs])

    def _of_one(self, image: Tensor, target: int) -> Tensor:
        generator, gate = generator_of(image, "rise", self.seed), self.explained.gate(image)
        heat = image.new_zeros(1, 1, *image.shape[2:], dtype=torch.float64)
        for start in range(0, self.masks, COPIES_PER_PASS):
            count = min(COPIES_PER_PASS, self.masks - start)
            masks = random_masks(generator, count, (image.shape[2], image.shape[3])).to(image)
            score = probabilities(self.explained, image * masks, gate)[:, target].view(-1, 1, 1, 1)
            heat += (score * masks).sum(0, keepdim=True)
        return (heat / (KEPT * self.masks)).to(image)


def random_masks(generator: np.random.Generator, count: int, size: tuple[int, int]) -> Tensor:
    """N×1×H×W in [0, 1].

    Grids of 7×7 cells of ⌈H/7⌉×⌈W/7⌉ pixels are enlarged to one cell more than the image a side, so that every shift
    by less than a cell covers it.

    Args:
        generator: draws the cells, then the shifts.
        count: N.
        size: H and W.
    """
    kept = torch.from_numpy((generator.random((count, 1, CELLS, CELLS)) < KEPT).astype(np.float32))
    cell = [-(-side // CELLS) for side in size]
    large = F.interpolate(kept, [(CELLS + 1) * side for side in cell], mode="bilinear", align_corners=False)
    shifts = generator.integers(0, cell, (count, 2)).tolist()
    return torch.stack([mask[:, y : y + size[0], x : x + size[1]] for mask, (y, x) in zip(large, shifts, strict=True)])
