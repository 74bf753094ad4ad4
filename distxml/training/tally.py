"""Means of the loss terms and the accuracy over all images of an epoch, on all ranks."""

import torch
from torch import Tensor

from distxml.data.batch import Batch
from distxml.losses import JointLoss
from distxml.models.joint import JointOutput
from distxml.training.ranks import sum_over_ranks

Metrics = dict[str, float]
"""total, classification, explanation, sparsity, contiguity, weak, accuracy."""


class Tally:
    """Sums over images, so that batches of any size, and ranks with any share, count each image once."""

    def __init__(self, loss: JointLoss, device: torch.device, before: list[float] | None = None) -> None:
        """`before`: `sums_over_ranks` of the part of the epoch that was counted already; on one rank only."""
        self.loss = loss
        self.sums = torch.tensor(before or [0.0] * 7, dtype=torch.float64, device=device)

    @torch.no_grad()
    def add(self, output: JointOutput, batch: Batch) -> None:
        """Count a batch's images; those of weight 0 do not count."""
        each = self.loss.each(output.logits, output.heatmap, batch.label, batch.mask)
        class_share = self.loss.class_weight(batch.label) * batch.weight
        correct = (output.logits.argmax(1) == batch.label).float()
        columns = [each.sparsity, each.contiguity, each.weak, correct, torch.ones_like(correct)]
        plain = torch.stack(columns) * batch.weight  # 5×B
        classed = torch.stack([each.classification * class_share, class_share])  # 2×B
        self.sums += torch.cat([plain, classed]).double().sum(1)

    def metrics(self) -> Metrics:
        """Means over the images of all ranks; every rank must call it."""
        return self._means(sum_over_ranks(self.sums))

    def sums_over_ranks(self) -> list[float]:
        """What was counted so far on all ranks; every rank must call it."""
        return sum_over_ranks(self.sums).tolist()

    def on_this_rank(self) -> Metrics:
        """Means over this rank's images so far."""
        return self._means(self.sums)

    def _means(self, sums: Tensor) -> Metrics:
        sparsity, contiguity, weak, correct, count, cross_entropy, class_share = sums
        terms = self.loss.combine(cross_entropy / class_share, sparsity / count, contiguity / count, weak / count)
        return {name: float(value) for name, value in terms.items()} | {"accuracy": float(correct / count)}
