"""Means of the loss terms, the accuracy and the heat over all images of an epoch, on all ranks."""

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor

from distxml.config.guard import GuardSettings
from distxml.data.batch import Batch
from distxml.losses import JointLoss
from distxml.models.joint import JointOutput
from distxml.training.distributed import sum_over_ranks

EPSILON = 1e-6

Metrics = dict[str, float]
"""total, classification, explanation, sparsity (the mean heat), contiguity, weak, accuracy, black, white; and
difference (how much the heatmaps of two images differ) where there were two images in a batch."""

COLUMNS = 11

STEPS_BETWEEN_LOOKS = 10
"""Every so many steps the ranks add up what they counted."""

DECAY_PER_STEP = 0.9
"""Weight of a step in the means relative to the step after it: half the weight lies on the last 7 steps. An explainer
may fall from white to black within 20."""


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


class Tally:
    """Sums over images, so that batches of any size, and ranks with any share, count each image once."""

    def __init__(
        self, loss: JointLoss, guard: GuardSettings, device: torch.device, before: list[float] | None = None
    ) -> None:
        """`before`: `sums_over_ranks` of the part of the epoch that was counted already; on one rank only."""
        self.loss = loss
        self.guard = guard
        self.sums = torch.tensor(before or [0.0] * COLUMNS, dtype=torch.float64, device=device)

    @torch.no_grad()
    def add(self, output: JointOutput, batch: Batch) -> None:
        """Count a batch's images; those of weight 0 do not count."""
        each = self.loss.each(output.logits, output.heatmap, batch.label, batch.mask)
        class_share = self.loss.class_weight(batch.label) * batch.weight
        correct = (output.logits.argmax(1) == batch.label).float()
        black = share_below(output.heatmap, self.guard.black_below)
        white = share_above(output.heatmap, self.guard.white_above)
        plain = [each.sparsity, each.contiguity, each.weak, correct, black, white]
        pairs = pairs_that_count(batch.weight)
        others = [each.classification * class_share, difference_to_next(output.heatmap) * pairs]
        columns = [column * batch.weight for column in plain] + others + [batch.weight, class_share, pairs]
        self.sums += torch.stack(columns).double().sum(1)  # 11×B to 11

    def metrics(self) -> Metrics:
        """Means over the images of all ranks; every rank must call it."""
        return self.means(self.sums_over_ranks())

    def sums_over_ranks(self) -> list[float]:
        """What was counted so far on all ranks; every rank must call it."""
        return sum_over_ranks(self.sums).tolist()

    def on_this_rank(self) -> Metrics:
        """Means over this rank's images so far."""
        return self.means(self.sums.tolist())

    def means(self, sums: list[float]) -> Metrics:
        """The means that some sums stand for."""
        sparsity, contiguity, weak, correct, black, white, cross_entropy, difference, *counts, pairs = sums
        count, class_share = (value or math.nan for value in counts)  # nothing counted: not a number
        values = (cross_entropy / class_share, sparsity / count, contiguity / count, weak / count)
        terms = self.loss.combine(*(torch.tensor(value, dtype=torch.float64) for value in values))
        shares = {"accuracy": correct / count, "black": black / count, "white": white / count}
        shares |= {"difference": difference / pairs} if pairs else {}
        return {name: float(value) for name, value in terms.items()} | shares


@dataclass
class RunningMeans:
    """Exponential means over steps of what a phase is judged by; saved with every checkpoint.

    Attributes:
        own_loss: the phase's own loss (`state.own_loss`).
        black, white: shares of such pixels.
        difference: between the heatmaps of two images; 1 where that is unknown.
        looked: `Tally.sums_over_ranks` when the means were brought up to date; later steps are not in them yet.
    """

    own_loss: float
    black: float
    white: float
    difference: float
    looked: list[float] = field(default_factory=list)

    def since(self, sums: list[float]) -> list[float]:
        """What was counted since the last look."""
        return [now - before for now, before in zip(sums, self.looked or [0.0] * COLUMNS, strict=True)]

    def look(self, window: Metrics, own_loss: str, steps: int, sums: list[float]) -> None:
        """Take in the means over the last `steps` steps."""
        keep = DECAY_PER_STEP**steps
        self.own_loss = keep * self.own_loss + (1 - keep) * window[own_loss]
        self.black = keep * self.black + (1 - keep) * window["black"]
        self.white = keep * self.white + (1 - keep) * window["white"]
        self.difference = keep * self.difference + (1 - keep) * window.get("difference", 1.0)
        self.looked = sums
