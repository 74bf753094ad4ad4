"""Means of the loss terms, the accuracy and the heat over all images of an epoch, on all ranks."""

import math

import torch

from distxml.config.guard import GuardSettings
from distxml.data.batch import Batch
from distxml.losses import JointLoss
from distxml.models.joint import JointOutput
from distxml.training.heat import difference_to_next, pairs_that_count, share_above, share_below
from distxml.training.ranks import sum_over_ranks

Metrics = dict[str, float]
"""total, classification, explanation, sparsity (the mean heat), contiguity, weak, accuracy, black, white; and
difference (how much the heatmaps of two images differ) where there were two images in a batch."""
COLUMNS = 11


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
