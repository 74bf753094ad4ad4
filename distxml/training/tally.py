"""Means of the loss terms, the accuracy and the heat over all images of an epoch, on all ranks."""

import math

import torch

from distxml.config.guard import GuardSettings
from distxml.data.batch import Batch
from distxml.losses import JointLoss
from distxml.models.joint import JointOutput
from distxml.training.ranks import sum_over_ranks

Metrics = dict[str, float]
"""total, classification, explanation, sparsity (the mean heat), contiguity, weak, accuracy, black, white."""
COLUMNS = 9


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
        black = (output.heatmap < self.guard.black_below).float().mean((1, 2, 3))
        white = (output.heatmap > self.guard.white_above).float().mean((1, 2, 3))
        plain = [each.sparsity, each.contiguity, each.weak, correct, black, white]
        counts = [batch.weight, class_share]
        columns = [column * batch.weight for column in plain] + [each.classification * class_share] + counts
        self.sums += torch.stack(columns).double().sum(1)  # 9×B to 9

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
        sparsity, contiguity, weak, correct, black, white, cross_entropy, *counts = sums
        count, class_share = (value or math.nan for value in counts)  # nothing counted: not a number
        values = (cross_entropy / class_share, sparsity / count, contiguity / count, weak / count)
        terms = self.loss.combine(*(torch.tensor(value, dtype=torch.float64) for value in values))
        shares = {"accuracy": correct / count, "black": black / count, "white": white / count}
        return {name: float(value) for name, value in terms.items()} | shares
