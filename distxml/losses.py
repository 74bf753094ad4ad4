"""The loss terms of the joint model, vectorised. Source: Rio-Torto et al. (2020), equations 1 to 5.

Every term is computed in float32, one value per image, and averaged over the images that count.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

EPSILON = 1e-6


def sparsity(heatmap: Tensor) -> Tensor:
    """Mean absolute heat: B×1×H×W to B."""
    return heatmap.abs().mean((1, 2, 3))


def contiguity(heatmap: Tensor) -> Tensor:
    """Total variation over the number of pixels: B×1×H×W to B."""
    vertical = heatmap.diff(dim=2).abs().sum((1, 2, 3))
    horizontal = heatmap.diff(dim=3).abs().sum((1, 2, 3))
    return (vertical + horizontal) / (heatmap.shape[2] * heatmap.shape[3])


def weak(heatmap: Tensor, mask: Tensor) -> Tensor:
    """Mean heat outside the mask: two B×1×H×W to B; 0 where the mask covers the whole image."""
    outside = 1 - mask
    return ((outside * heatmap).sum((1, 2, 3)) / (outside.sum((1, 2, 3)) + EPSILON)).abs()


def class_weights(setting: str | tuple[float, ...] | None, counts: Sequence[int]) -> Tensor | None:
    """Weights of the classes: none, as listed, or `balanced`: rows / (classes * rows of the class).

    Args:
        setting: `loss.class_weights`.
        counts: training rows of each class.
    """
    if setting is None:
        return None
    if isinstance(setting, tuple):
        return torch.tensor(setting)
    rows = torch.tensor(counts, dtype=torch.float32)
    return rows.sum() / (len(counts) * rows.clamp_min(1))


@dataclass(frozen=True)
class LossTerms:
    """The joint loss and what it is made of: all scalars (means over images) or all of shape B (one per image).

    Attributes:
        total: alpha * classification + (1 - alpha) * explanation.
        classification: cross-entropy; its mean over images is weighted by their classes (`JointLoss.class_weights`).
        explanation: beta * sparsity + (1 - beta) * contiguity (+ gamma * annotated * weak in the hybrid loss).
        sparsity, contiguity: before their weights.
        weak: mean heat outside the mask, over the annotated images alone; 0 for an image without a mask.
        annotated: 1 for an image with a mask, else 0; over images, the share of annotated ones.
    """

    total: Tensor
    classification: Tensor
    explanation: Tensor
    sparsity: Tensor
    contiguity: Tensor
    weak: Tensor
    annotated: Tensor

    def items(self) -> list[tuple[str, Tensor]]:
        """Names and values, in the order above."""
        return [(field.name, getattr(self, field.name)) for field in fields(self)]


@dataclass(frozen=True)
class Shares:
    """Weights of images (shape B) in the batch's means: `classed` in the cross-entropy, `plain` in the other terms."""

    plain: Tensor
    classed: Tensor


def _this_process_alone(total: Tensor) -> Tensor:
    return total


@dataclass(frozen=True)
class JointLoss:
    """L = alpha * L_class + (1 - alpha) * L_expl.

    Attributes:
        kind: `unsupervised` or `hybrid` (adds gamma * annotated * weak).
        alpha, beta, gamma: weights; alpha belongs to the phase. All terms are means over all images, so where only
            some are annotated, gamma weighs the heat outside their masks summed up and divided by all images.
        class_weights: C, or None. As in torch, a weighted mean: weights are divided by their sum over the batch.
        sum_over_ranks: adds up a denominator over DDP ranks, so that the terms that the ranks compute from their
            parts of a global batch add up to that batch's, whatever the parts' sizes.
    """

    kind: Literal["unsupervised", "hybrid"]
    alpha: float
    beta: float
    gamma: float
    class_weights: Tensor | None = None
    sum_over_ranks: Callable[[Tensor], Tensor] = _this_process_alone

    def __call__(
        self, logits: Tensor, heatmap: Tensor, label: Tensor, mask: Tensor, *, has_mask: Tensor, weight: Tensor
    ) -> Tensor:
        """The loss of B images: a scalar.

        Args:
            logits: B×C.
            heatmap: B×1×H×W in [0, 1].
            label: B.
            mask: B×1×H×W, 1 inside.
            has_mask: B bool, whether an image is annotated.
            weight: B; 0 leaves an image out.
        """
        return self.total(self.each(logits, heatmap, label, mask, has_mask), self.shares(label, weight))

    def shares(self, label: Tensor, weight: Tensor) -> Shares:
        """What part of the batch's (all ranks') mean each of this process's B images is."""
        share = weight / self.sum_over_ranks(weight.sum()).clamp_min(EPSILON)
        classed = weight * self.class_weight(label)
        return Shares(share, classed / self.sum_over_ranks(classed.sum()).clamp_min(EPSILON))

    def total(self, each: LossTerms, shares: Shares) -> Tensor:
        """What is optimised: the total of images (shape B) with their shares, a scalar."""
        classification = (each.classification * shares.classed).sum()
        explanation = self._explanation(
            sparsity=(each.sparsity * shares.plain).sum(),
            contiguity=(each.contiguity * shares.plain).sum(),
            outside=(each.weak * shares.plain).sum(),
        )
        return self._total(classification, explanation)

    def each(self, logits: Tensor, heatmap: Tensor, label: Tensor, mask: Tensor, has_mask: Tensor) -> LossTerms:
        """The terms of each image (shape B), in float32, without class weights.

        Args:
            logits: B×C.
            heatmap: B×1×H×W in [0, 1].
            label: B.
            mask: B×1×H×W, 1 inside.
            has_mask: B bool, whether an image is annotated.
        """
        heatmap, mask, annotated = heatmap.float(), mask.float(), has_mask.float()
        return self.combine(
            classification=F.cross_entropy(logits.float(), label, reduction="none"),
            sparsity=sparsity(heatmap),
            contiguity=contiguity(heatmap),
            weak=weak(heatmap, mask) * annotated,
            annotated=annotated,
        )

    def combine(
        self, classification: Tensor, sparsity: Tensor, contiguity: Tensor, weak: Tensor, annotated: Tensor
    ) -> LossTerms:
        """The weighted sums of the terms, which are all scalars or all of shape B.

        Args:
            classification: cross-entropy.
            sparsity: mean heat.
            contiguity: differences between neighbouring pixels.
            weak: mean heat outside the masks of the annotated images; counts in the hybrid loss alone.
            annotated: their share of the images.
        """
        explanation = self._explanation(sparsity, contiguity, annotated * weak)
        total = self._total(classification, explanation)
        return LossTerms(total, classification, explanation, sparsity, contiguity, weak, annotated)

    def _explanation(self, sparsity: Tensor, contiguity: Tensor, outside: Tensor) -> Tensor:
        """`outside`: heat outside the masks, over all images: one without a mask counts as 0."""
        explanation = self.beta * sparsity + (1 - self.beta) * contiguity
        return explanation + self.gamma * outside if self.kind == "hybrid" else explanation

    def _total(self, classification: Tensor, explanation: Tensor) -> Tensor:
        return self.alpha * classification + (1 - self.alpha) * explanation

    def class_weight(self, label: Tensor) -> Tensor:
        """The weight of each image's class: B float32."""
        if self.class_weights is None:
            return torch.ones(len(label), device=label.device)
        return self.class_weights[label]
