"""AOPC and POMPOM of the in-model heatmap on a few validation images: what training and sweeps look at as they go.

The joint model is scored, its heatmap made anew for each perturbed image (`recompute`), for the class that it
predicts. Images and the order of ties are functions of `quick_scores.seed`: two runs on the same data are scored alike.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from distxml.config import Recipe
from distxml.config.evaluation import EvaluationSettings, Fill
from distxml.data.batch import Batch
from distxml.data.loader import Loader
from distxml.data.rows import collate, decode
from distxml.data.subsets import balanced_sample
from distxml.evaluation.perturbation.curves import aopc
from distxml.evaluation.perturbation.fill_images import make_fills
from distxml.evaluation.perturbation.patches import patch_count, patch_order, rank_of_pixels
from distxml.evaluation.scoring.localization import pompom
from distxml.models.joint import JointOutput

Forward = Callable[[Tensor], JointOutput]
"""The model in eval mode, for B×3×H×W images on its device."""

Sums = dict[str, tuple[float, float]]
"""By name, the sum over images and their number."""

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
    rows = val.reader.rows_at(mine)
    return QuickScores(recipe, collate([decode(row, recipe.loader.image_size) for row in rows]) if mine else None)


class QuickScores:
    """Scores a rank's images of the sample."""

    def __init__(self, recipe: Recipe, batch: Batch | None) -> None:
        """`batch`: the images; None where the sample has none for this rank."""
        size, settings = recipe.loader.image_size, recipe.quick_scores
        self.patch_size = -(-min(size) // settings.patches)
        self.steps = min(settings.steps, patch_count(size, self.patch_size))
        self.fill: Fill = settings.fill
        self.seed, self.image_size, self.batch = settings.seed, size, batch

    def __call__(self, forward: Forward, device: torch.device) -> Sums:
        """`aopc` over the images, and `pompom` over those that are annotated."""
        if self.batch is None:
            return {"aopc": (0.0, 0), "pompom": (0.0, 0)}
        batch = self.batch.to(device)
        output = forward(batch.image)
        curves = self._curves(forward, batch, output)
        share = pompom(output.heatmap, batch.mask).of_outside[batch.has_mask]
        return {"aopc": (float(aopc(curves).sum()), len(batch)), "pompom": (float(share.sum()), len(share))}

    def _curves(self, forward: Forward, batch: Batch, clean: JointOutput) -> np.ndarray:
        """f(x(0)) ... f(x(L)) of each image: B×(L+1)."""
        target = clean.logits.argmax(1, keepdim=True)  # B×1
        order = patch_order(clean.heatmap.float(), self.patch_size, batch.key, self.seed)
        rank = rank_of_pixels(order, self.patch_size, self.image_size).to(batch.image.device).unsqueeze(1)  # B×1×H×W
        fill = make_fills(batch.image, batch.key, (self.fill,), BLUR_SIGMA, self.seed)[0]
        points = []
        for step in range(self.steps + 1):
            logits = forward(torch.where(rank < step, fill, batch.image)).logits  # B×C
            points.append(logits.double().softmax(1).gather(1, target))
        return torch.cat(points, dim=1).cpu().numpy()
