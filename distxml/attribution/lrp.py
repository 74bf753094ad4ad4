"""Layer-wise relevance propagation (LRP) by zennit's hooks: the rule of each kind of module, and the method."""

from collections.abc import Sequence
from copy import deepcopy

import torch
from torch import Tensor, nn
from zennit.composites import LayerMapComposite
from zennit.core import BasicHook, Hook
from zennit.layer import Sum
from zennit.rules import Pass, ZPlus
from zennit.torchvision import ResNetCanonizer
from zennit.types import Activation, AvgPool, BatchNorm, Linear

from distxml.attribution.explained_model import ExplainedModel
from distxml.models.gate import Gate

MIN_SHARE = 1e-6
"""Sums of positive contributions that are smaller, as a share of the image's mean sum, are raised to it."""
MIN_VALUE = 1e-30
"""Of such a sum, where all of an image's are 0."""


def alpha1_beta0() -> LayerMapComposite:
    """The rule of each kind of module; the others (max-pooling, dropout) propagate relevance as their gradient.

    Max-pooling then gives all relevance to the maximum.
    """
    convolution_or_linear = ZPlus(stabilizer=stabilized, zero_params="bias")  # pyright: ignore[reportArgumentType]
    return LayerMapComposite(
        [
            ((Gate,), _PassToFeatures()),
            ((Activation, BatchNorm), Pass()),  # a BatchNorm has been merged: it does nothing
            ((Sum, AvgPool), _proportional_to_positive_inputs()),
            ((Linear,), convolution_or_linear),
        ]
    )


def stabilized(positive: Tensor) -> Tensor:
    """Sums of positive contributions, B×..., that relevance can be divided by.

    Sums below a millionth of the image's mean are raised to it, because rounding is a large part of them. zennit's own
    stabilizer, the constant 1e-6, would absorb the relevance of feature maps that a dark heatmap has made small.
    """
    mean = positive.mean(tuple(range(1, positive.ndim)), keepdim=True)
    return torch.maximum(positive, (MIN_SHARE * mean).clamp_min(MIN_VALUE))


class _PassToFeatures(Hook):
    """Relevance of gated features is that of the features; the heatmap, the second input, gets none."""

    def backward(self, module: nn.Module, grad_input: object, grad_output: Sequence[Tensor]) -> tuple[Tensor, None]:
        """B×C×h×w, and nothing."""
        return grad_output[0], None


def _proportional_to_positive_inputs() -> BasicHook:
    """For layers without parameters that add up their inputs with non-negative weights."""
    return BasicHook(
        input_modifiers=[lambda inputs: inputs.clamp_min(0)],
        gradient_mapper=lambda relevance, outputs: [relevance / stabilized(outputs[0])],
    )


class RelevancePropagation:
    """LRP-α1β0 of the classifier under the heatmap that gates it (`ExplainedModel.gating`).

    The heatmap is a constant weight of the feature maps, also with the gating `recompute`: relevance passes a gate
    unchanged, and the explainer is not explained. Relevance starts as the target's logit, keeps its sign, and sums up
    to it over the pixels, except for what is lost: the relevance of units that no input contributes to positively
    (only their bias makes them active, as under a black heatmap). It is the relevance of the normalised image, the
    classifier's input.

    Source: Bach et al., "On Pixel-Wise Explanations for Non-Linear Classifier Decisions by Layer-Wise Relevance
    Propagation" (PLOS ONE 2015), the αβ-rule with α = 1 and β = 0.
    """

    def __init__(self, explained: ExplainedModel) -> None:
        self.explained = explained
        self.classifier = canonical(explained.model.classifier)

    def heatmap(self, image: Tensor, target: Tensor) -> Tensor:
        """Absolute relevance, summed over the channels: B×3×H×W to B×1×H×W."""
        return self.relevance(image, target).abs().sum(1, keepdim=True)

    def relevance(self, image: Tensor, target: Tensor) -> Tensor:
        """B×3×H×W to the same shape, signed."""
        model = self.explained.model
        normalized = ((image - model.mean) / model.std).detach().requires_grad_()
        with alpha1_beta0().context(self.classifier), torch.enable_grad():
            logits = self.classifier(normalized, self.explained.gating_heatmap(image))  # B×C
            start = torch.zeros_like(logits).scatter(1, target[:, None], logits.detach().gather(1, target[:, None]))
            (relevance,) = torch.autograd.grad(logits, normalized, start)
        return relevance


def canonical(classifier: nn.Module) -> nn.Module:
    """A copy of a classifier that computes the same in layers which have a rule.

    BatchNorms are merged into the convolutions before them, residual sums become modules. A copy, because zennit's
    canonizers do not restore a module completely.
    """
    copy = deepcopy(classifier).eval().requires_grad_(False)
    ResNetCanonizer().apply(copy)
    for module in copy.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eps = 1e-12  # merged, it does nothing; before 1.0 zennit left it dividing by √(1 + eps)
    return copy
