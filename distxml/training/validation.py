"""One pass over the validation split: metrics after each epoch, and a confusion matrix at the end of a phase."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor
from torchmetrics.classification import MulticlassConfusionMatrix, MulticlassPrecisionRecallCurve

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
