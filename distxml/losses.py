"""The loss terms of the joint model, vectorised. Source: Rio-Torto et al. (2020), equations 1 to 5.

Every term is computed in float32, one value an image, and averaged over the images that count.
"""

from dataclasses import dataclass, fields
from typing import Literal

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


@dataclass(frozen=True)
class LossTerms:
    """The joint loss and what it is made of; each a scalar, a mean over the images of the batch.

    Attributes:
        total: alpha * classification + (1 - alpha) * explanation.
        classification: cross-entropy.
        explanation: beta * sparsity + (1 - beta) * contiguity (+ gamma * weak in the hybrid loss).
        sparsity, contiguity, weak: before their weights.
    """

    total: Tensor
    classification: Tensor
    explanation: Tensor
    sparsity: Tensor
    contiguity: Tensor
    weak: Tensor

    def items(self) -> list[tuple[str, Tensor]]:
        """Names and values, in the order above."""
        return [(field.name, getattr(self, field.name)) for field in fields(self)]


@dataclass(frozen=True)
class JointLoss:
    """L = alpha * L_class + (1 - alpha) * L_expl.

    Attributes:
        kind: `unsupervised` or `hybrid` (adds gamma * weak).
        alpha, beta, gamma: weights; alpha belongs to the phase.
        class_weights: C, or None. As in torch, a weighted mean: weights are divided by their sum over the batch.
    """

    kind: Literal["unsupervised", "hybrid"]
    alpha: float
    beta: float
    gamma: float
    class_weights: Tensor | None = None

    def __call__(
        self, logits: Tensor, heatmap: Tensor, label: Tensor, mask: Tensor, weight: Tensor | None = None
    ) -> LossTerms:
        """The terms over B images.

        Args:
            logits: B×C.
            heatmap: B×1×H×W in [0, 1].
            label: B.
            mask: B×1×H×W, 1 inside.
            weight: B; 0 leaves an image out. Default: all count.
        """
        heatmap, mask = heatmap.float(), mask.float()
        count = logits.new_ones(len(label)) if weight is None else weight.float()
        terms = {
            "sparsity": sparsity(heatmap),
            "contiguity": contiguity(heatmap),
            "weak": weak(heatmap, mask),
        }
        means = {name: _weighted_mean(value, count) for name, value in terms.items()}
        classification = self._cross_entropy(logits.float(), label, count)
        explanation = self.beta * means["sparsity"] + (1 - self.beta) * means["contiguity"]
        if self.kind == "hybrid":
            explanation = explanation + self.gamma * means["weak"]
        total = self.alpha * classification + (1 - self.alpha) * explanation
        return LossTerms(total, classification, explanation, **means)

    def _cross_entropy(self, logits: Tensor, label: Tensor, count: Tensor) -> Tensor:
        each = F.cross_entropy(logits, label, reduction="none")
        if self.class_weights is not None:
            count = count * self.class_weights[label]
        return _weighted_mean(each, count)


def _weighted_mean(each: Tensor, weight: Tensor) -> Tensor:
    return (each * weight).sum() / weight.sum().clamp_min(EPSILON)
