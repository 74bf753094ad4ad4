"""Methods by captum: gradients and guided backpropagation, each of f as a module that captum looks into."""

import warnings
from collections.abc import Callable

from captum.attr import (
    Deconvolution,
    GradientAttribution,
    GuidedBackprop,
    InputXGradient,
    IntegratedGradients,
    Saliency,
)
from torch import Tensor, nn

from distxml.attribution.explained_model import ExplainedModel, GateInput

STEPS_PER_PASS = 8
"""Steps of integrated gradients in a forward pass: not `batch_size`, on which the last bits would depend, and with them
the order of patches that score nearly the same."""


class Logits(nn.Module):
    """(image B×3×H×W, gate) to B×C logits of f, as a module: captum looks inside it for ReLUs and layers."""

    def __init__(self, explained: ExplainedModel) -> None:
        super().__init__()
        self.model = explained.model

    def forward(self, image: Tensor, gate: GateInput) -> Tensor:
        """B×C."""
        return self.model.forward(image, gate).logits  # not compiled: compiled code would skip captum's hooks


class GradientMethod:
    """A captum method that attributes the target's logit to the pixels of the image in [0, 1].

    Gradients are those of f: through classifier and explainer with `recompute`, through the classifier alone with
    `fixed` and `classifier_phase`.
    """

    def __init__(
        self,
        explained: ExplainedModel,
        method: Callable[[Logits], GradientAttribution],
        *,
        signed: bool = False,
        **options: object,
    ) -> None:
        """`method` makes captum's object; `options` are passed to its `attribute`.

        `signed` belongs to methods that share the logit out among the pixels, where a negative pixel speaks against the
        target. The sign of a bare gradient says which way the logit moves with the pixel's brightness, and no more.
        """
        self.explained, self.method, self.signed, self.options = explained, method, signed, options

    def attribution(self, image: Tensor, target: Tensor) -> Tensor:
        """B×3×H×W to the same shape, signed."""
        gate = self.explained.gate(image)
        method = self.method(Logits(self.explained))  # a new one: guided backpropagation keeps its hooks
        image = image.detach().clone().requires_grad_()
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Setting backward hooks on ReLU")  # it removes them
            warnings.filterwarnings("ignore", "Internal batch size cannot be less")  # `integrated_gradients` says so
            attributed = method.attribute(image, target=target, additional_forward_args=(gate,), **self.options)
        return attributed.detach()

    def heatmap(self, image: Tensor, target: Tensor) -> Tensor:
        """Attribution, absolute unless it is `signed`, summed over the channels: B×1×H×W."""
        attributed = self.attribution(image, target)
        return (attributed if self.signed else attributed.abs()).sum(1, keepdim=True)


def saliency(explained: ExplainedModel) -> GradientMethod:
    """Gradient of the target's logit by the image.

    Source: Simonyan, Vedaldi, Zisserman, "Deep Inside Convolutional Networks" (2013), section 3; sum over channels
    instead of their maximum.
    """
    return GradientMethod(explained, Saliency, abs=False)


def input_x_gradient(explained: ExplainedModel, signed: bool = True) -> GradientMethod:
    """Gradient of the target's logit by the image, times the image in [0, 1]: black pixels have no heat.

    Signed, as in the source: what speaks against the target is negative.

    Source: Shrikumar, Greenside, Shcherbina, Kundaje, "Not Just a Black Box" (2016).
    """
    return GradientMethod(explained, InputXGradient, signed=signed)


def input_x_gradient_absolute(explained: ExplainedModel) -> GradientMethod:
    """`input_x_gradient` without its sign: pixels and channels that speak for and against the target count alike."""
    return input_x_gradient(explained, signed=False)


def integrated_gradients(
    explained: ExplainedModel, integration_steps: int, batch_size: int = STEPS_PER_PASS, signed: bool = True
) -> GradientMethod:
    """The image times the mean gradient on the straight line from a black image to it (Gauss-Legendre quadrature).

    Signed, as in the source: the heat of an image sums up to f(image) − f(black), up to the error of the quadrature,
    and what speaks against the target is negative. With f `fixed` the classifier has the same heatmap along the whole
    line; with `recompute` each image on the line has its own.

    Args:
        explained: f.
        integration_steps: images on the line.
        batch_size: most images in a forward pass, unless more than that are explained together.
        signed: whether attributions keep their sign.

    Source: Sundararajan, Taly, Yan, "Axiomatic Attribution for Deep Networks" (ICML 2017), section 3.
    """
    return GradientMethod(
        explained,
        IntegratedGradients,
        signed=signed,
        baselines=0,
        n_steps=integration_steps,
        internal_batch_size=batch_size,
    )


def integrated_gradients_absolute(explained: ExplainedModel, integration_steps: int) -> GradientMethod:
    """`integrated_gradients` without their sign: pixels and channels that speak for and against the target count
    alike."""
    return integrated_gradients(explained, integration_steps, signed=False)


def guided_backprop(explained: ExplainedModel) -> GradientMethod:
    """The gradient, but a ReLU lets only what is positive pass backwards, and only where it was active.

    Source: Springenberg, Dosovitskiy, Brox, Riedmiller, "Striving for Simplicity: The All Convolutional Net" (2014).
    """
    return GradientMethod(explained, GuidedBackprop)


def deconvolution(explained: ExplainedModel) -> GradientMethod:
    """The gradient, but a ReLU lets only what is positive pass backwards, wherever it was active.

    Source: Zeiler, Fergus, "Visualizing and Understanding Convolutional Networks" (2013), section 2.1.
    """
    return GradientMethod(explained, Deconvolution)
