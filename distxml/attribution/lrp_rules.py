"""The rules of LRP-α1β0 for the layers of the classifiers, as zennit's hooks.

Every rule hands a layer's relevance to its inputs in proportion to their positive contributions. Biases contribute
nothing, so that they keep no relevance; a merged BatchNorm has a bias too.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from zennit.composites import LayerMapComposite
from zennit.core import BasicHook, Hook
from zennit.layer import Sum
from zennit.rules import Pass, ZPlus
from zennit.types import Activation, AvgPool, BatchNorm, Linear

from distxml.models.gate import Gate

SMALLEST_SHARE = 1e-6
SMALLEST = 1e-30


def alpha1_beta0() -> LayerMapComposite:
    """The rule of each kind of module; those without one (max-pooling, dropout) have their gradient for a rule.

    Max-pooling's gradient hands all relevance to the maximum.
    """
    convolution_or_linear = ZPlus(stabilizer=stabilized, zero_params="bias")  # pyright: ignore[reportArgumentType]
    return LayerMapComposite(
        [
            ((Gate,), _PassToFeatures()),
            ((Activation, BatchNorm), Pass()),  # a BatchNorm has been merged: it does nothing
            ((Sum, AvgPool), _in_proportion_to_what_is_positive()),
            ((Linear,), convolution_or_linear),
        ]
    )


def stabilized(positive: Tensor) -> Tensor:
    """Sums of positive contributions, B×..., made fit to be divided by.

    Sums below a millionth of the image's mean one are raised to it: rounding would be a large part of them. zennit's
    own constant 1e-6 would swallow the relevance of feature maps that a dark heatmap has made small.
    """
    mean = positive.mean(tuple(range(1, positive.ndim)), keepdim=True)
    return torch.maximum(positive, (SMALLEST_SHARE * mean).clamp_min(SMALLEST))


class _PassToFeatures(Hook):
    """Relevance of gated features is that of the features; the heatmap, the second input, gets none."""

    def backward(self, module: nn.Module, grad_input: object, grad_output: Sequence[Tensor]) -> tuple[Tensor, None]:
        """B×C×h×w, and nothing."""
        return grad_output[0], None


def _in_proportion_to_what_is_positive() -> BasicHook:
    """For layers without parameters that add up their inputs with weights that are not negative."""
    return BasicHook(
        input_modifiers=[lambda inputs: inputs.clamp_min(0)],
        gradient_mapper=lambda relevance, outputs: [relevance / stabilized(outputs[0])],
    )
