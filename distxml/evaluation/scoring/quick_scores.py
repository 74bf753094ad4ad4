"""AOPC, decision flips and POMPOM of the in-model heatmap on a few validation images: what training and sweeps look at.

The joint model is scored, its heatmap made anew for each perturbed image (`recompute`), for the class that it
predicts. Images, the random order and the order of ties are functions of `quick_scores.seed`: two runs on the same data
are scored alike.
"""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from distxml.config import Recipe
from distxml.config.evaluation import EvaluationSettings, Fill
from distxml.data.batch import Batch
from distxml.data.loader import Loader
from distxml.data.rows import collate, decode
from distxml.data.subsets import balanced_sample
from distxml.evaluation.perturbation.areas import aopc_over_patches
from distxml.evaluation.perturbation.fill_images import make_fills
from distxml.evaluation.perturbation.flips import decision_flips
from distxml.evaluation.perturbation.patches import patch_count, patch_order, rank_of_pixels
from distxml.evaluation.scoring.localization import pompom
from distxml.models.joint import JointOutput

Forward = Callable[[Tensor], JointOutput]
"""The model in eval mode, for B×3×H×W images on its device."""

Values = NDArray[np.float64]

Sums = dict[str, tuple[float, float]]
"""By name, the sum over images and their number."""

NAMES = ("aopc", "flips_above_random", "pompom")

BLUR_SIGMA = EvaluationSettings().blur_sigma
"""Of the fill `blur`."""


def quick_scores(recipe: Recipe, val: Loader) -> Callable[[Forward, torch.device], Sums]:
    """What scores a rank's share of the sample, for training to call after its epochs.

    Args:
        recipe: its `quick_scores` says how.
        val: the rank's loader of the validation split.
    """
    if recipe.quick_scores.images == 0:
        return lambda forward, device: {}
    chosen = balanced_sample(list(val.reader.index().labels), recipe.quick_scores.images, recipe.quick_scores.seed)
    mine = sorted(chosen)[val.rank.index :: val.rank.world_size]
    samples = [decode(row, recipe.loader.image_size) for row in val.reader.rows_at(mine)]
    of_a_step = max(1, recipe.loader.batch_size // val.rank.world_size)  # so no more memory than training takes
    at_once = min(of_a_step, recipe.compute.micro_batch or of_a_step)
    return QuickScores(recipe, [collate(samples[start : start + at_once]) for start in range(0, len(mine), at_once)])


class QuickScores:
    """Scores a rank's images of the sample."""

    def __init__(self, recipe: Recipe, batches: list[Batch]) -> None:
        """`batches`: the images; none where the sample has none for this rank."""
        size, settings = recipe.loader.image_size, recipe.quick_scores
        self.patch_size = -(-min(size) // settings.patches)
        self.steps = min(settings.steps, patch_count(size, self.patch_size))
        self.fill: Fill = settings.fill
        self.seed, self.image_size, self.batches = settings.seed, size, batches

    def __call__(self, forward: Forward, device: torch.device) -> Sums:
        """`aopc` and `flips_above_random` over the images, and `pompom` over those that are annotated."""
        found = [self.score(forward, batch.to(device)) for batch in self.batches]
        columns = {name: [each[name] for each in found] for name in NAMES}
        return {name: (float(sum(map(np.sum, parts))), sum(map(len, parts))) for name, parts in columns.items()}

    def score(self, forward: Forward, batch: Batch) -> dict[str, Values]:
        """By name, what each of B images scores; `pompom` is of those that are annotated."""
        clean = forward(batch.image)
        heatmap = clean.heatmap.float()
        # Where all patches tie, their order is random; so a heatmap that is the same everywhere scores 0.
        ours, random = self._logits(forward, batch, clean, (heatmap, torch.zeros_like(heatmap)))
        target = clean.logits.argmax(1)[:, None, None].expand(-1, self.steps + 1, -1)  # B×(L+1)×1
        probability = ours.double().softmax(2).gather(2, target).squeeze(2)  # B×(L+1)
        return {
            "aopc": aopc_over_patches(probability.cpu().numpy())[:, -1],
            "flips_above_random": decision_flips(ours) - decision_flips(random),
            "pompom": pompom(clean.heatmap, batch.mask).of_outside[batch.has_mask].double().cpu().numpy(),
        }

    def _logits(
        self, forward: Forward, batch: Batch, clean: JointOutput, heatmaps: tuple[Tensor, ...]
    ) -> Iterator[Tensor]:
        """Of x(0) ... x(L) for B images, B×(L+1)×C, their patches replaced in the order of each heatmap, B×1×H×W."""
        fill = make_fills(batch.image, batch.key, (self.fill,), BLUR_SIGMA, self.seed)[0]
        for heatmap in heatmaps:
            order = patch_order(heatmap, self.patch_size, batch.key, self.seed)
            rank = rank_of_pixels(order, self.patch_size, self.image_size).to(batch.image.device).unsqueeze(1)
            perturbed = (torch.where(rank < step, fill, batch.image) for step in range(1, self.steps + 1))
            yield torch.stack([clean.logits, *(forward(image).logits for image in perturbed)], dim=1)
