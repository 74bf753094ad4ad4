"""One pass over the validation split: metrics after each epoch, and a confusion matrix at the end of a phase."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from distxml.data.batch import Batch
from distxml.monitoring.phase_figures import PhaseFigures
from distxml.training.distributed import share_buffers, sum_over_ranks
from distxml.training.learner import Learner
from distxml.training.metrics import Metrics

THRESHOLDS = 127
"""TensorBoard's PR curves take no more."""


@torch.no_grad()
def validate(learner: Learner, batches: Iterator[Batch]) -> Metrics:
    """Metrics over a split, each image once over all ranks; leaves the model in eval mode."""
    share_buffers(learner.model)
    learner.model.eval()
    metrics = learner.new_metrics()
    for batch in batches:
        on_device = batch.to(learner.device)
        metrics.update(learner.forward(learner.model, on_device), on_device)
    return metrics.compute()


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
    counted = _Counts.none(len(classes), learner.device)
    for batch in batches:
        on_device = batch.to(learner.device)
        counts = on_device.weight > 0
        probability = learner.forward(learner.model, on_device).logits.float().softmax(1)[counts]  # B×C
        counted.add(probability, on_device.label[counts])
    confusion, curves = (sum_over_ranks(one).cpu().numpy() for one in (counted.confusion, counted.curves))
    return PhaseFigures(classes, confusion, *curves)


@dataclass(frozen=True)
class _Counts:
    """What is counted on this rank.

    Attributes:
        confusion: C×C, see `PhaseFigures`.
        curves: 4×C×T: true positives, false positives, true negatives and false negatives.
        thresholds: T.
    """

    confusion: Tensor
    curves: Tensor
    thresholds: Tensor

    @classmethod
    def none(cls, classes: int, device: torch.device) -> "_Counts":
        """Nothing is counted yet."""
        integers: dict[str, Any] = {"dtype": torch.int64, "device": device}
        thresholds = torch.linspace(0, 1, THRESHOLDS, device=device)
        return cls(
            torch.zeros(classes, classes, **integers), torch.zeros(4, classes, THRESHOLDS, **integers), thresholds
        )

    def add(self, probability: Tensor, label: Tensor) -> None:
        """Count images: their probabilities B×C and true classes B."""
        classes = len(self.confusion)
        pairs = torch.bincount(label * classes + probability.argmax(1), minlength=classes**2)
        self.confusion.add_(pairs.view(classes, classes))
        taken = probability[:, :, None] >= self.thresholds  # B×C×T
        own = one_hot(label, classes).bool()[:, :, None]  # B×C×1
        for count, images in zip(self.curves, (taken & own, taken & ~own, ~taken & ~own, ~taken & own), strict=True):
            count.add_(images.sum(0))
