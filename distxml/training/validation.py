"""Scores of the explanations that training has made after an epoch, by whoever started it: it does not know how."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor
from torchmetrics.classification import MulticlassConfusionMatrix, MulticlassPrecisionRecallCurve

from distxml.config import Recipe
from distxml.data.batch import Batch
from distxml.data.loader import Loader
from distxml.models.joint import JointOutput
from distxml.monitoring.confusion import PhaseFigures
from distxml.training.distributed import share_buffers, sum_over_ranks
from distxml.training.metrics import Metrics
from distxml.training.phase import Learner

THRESHOLDS = 127
"""TensorBoard's PR curves take no more."""

Forward = Callable[[Tensor], JointOutput]
"""The model in eval mode, for B×3×H×W images on its device."""

Scores = Callable[[Forward, torch.device], dict[str, tuple[float, float]]]
"""Scores a model: by name, the sum over this rank's images and their number. The names are the same on all ranks."""

ScoresMaker = Callable[[Recipe, Loader], Scores]
"""Makes a rank's `Scores` from the recipe and its loader of the validation split; sent to the workers by its name."""


@dataclass(frozen=True)
class Scored:
    """Means over the images of all ranks, and `scoring_seconds`, what they took."""

    means: Metrics = field(default_factory=dict)
    pace: dict[str, float] = field(default_factory=dict)


NOTHING_SCORED = Scored()


def no_scores(forward: Forward, device: torch.device) -> dict[str, tuple[float, float]]:
    """Where nobody asked for any."""
    return {}


@torch.no_grad()
def score(scores: Scores, learner: Learner) -> Scored:
    """The scores of a learner whose model is in eval mode; every rank must call it. Names without images are absent."""
    began = time.monotonic()
    own = scores(learner.forward_images, learner.device)
    if not own:
        return NOTHING_SCORED
    pairs = [number for name in sorted(own) for number in own[name]]
    sums = sum_over_ranks(torch.tensor(pairs, dtype=torch.float64, device=learner.device)).tolist()
    totals = zip(sorted(own), sums[::2], sums[1::2], strict=True)
    means = {name: total / images for name, total, images in totals if images}
    return Scored(means, {"scoring_seconds": time.monotonic() - began})


@torch.no_grad()
def collect_figures(learner: Learner, batches: Iterator[Batch], classes: tuple[str, ...]) -> PhaseFigures | None:
    """Confusion matrix and precision-recall counts of a split, each image once over all ranks.

    Every rank must call it, and gets the same; leaves the model in eval mode. None where there are fewer than two
    classes: nothing is told apart.
    """
    if len(classes) < 2:
        return None
    share_buffers(learner.model)
    learner.model.eval()
    confusion = MulticlassConfusionMatrix(len(classes), validate_args=False).to(learner.device)
    curves = MulticlassPrecisionRecallCurve(len(classes), THRESHOLDS, validate_args=False).to(learner.device)
    for batch in batches:
        on_device = batch.to(learner.device)
        counts = on_device.weight > 0
        probability = learner.forward(learner.model, on_device).logits.float().softmax(1)[counts]  # B×C
        if len(probability):
            confusion.update(probability, on_device.label[counts])
            curves.update(probability, on_device.label[counts])
    # The metrics' own gathering would take turns with DDP's; their states are counts, which add up.
    return _figures(classes, _added_up(confusion.confmat), _added_up(curves.confmat))


def _added_up(counts: Tensor) -> np.ndarray:
    return sum_over_ranks(counts).cpu().numpy()


def _figures(classes: tuple[str, ...], confusion: np.ndarray, curves: np.ndarray) -> PhaseFigures:
    """
    Args:
        classes: C names.
        confusion: C×C.
        curves: T×C×2×2, the last two axes whether an image is of the class and whether it is taken for it.
    """
    one_class = curves.transpose(1, 0, 2, 3)  # C×T×2×2
    return PhaseFigures(
        classes=classes,
        confusion=confusion,
        true_positives=one_class[..., 1, 1],
        false_positives=one_class[..., 0, 1],
        true_negatives=one_class[..., 0, 0],
        false_negatives=one_class[..., 1, 0],
    )
