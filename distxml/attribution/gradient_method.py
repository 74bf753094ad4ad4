"""What captum's methods have in common: f as a module, and one value a pixel of what they attribute."""

import warnings
from collections.abc import Callable

from captum.attr import GradientAttribution
from torch import Tensor, nn

from distxml.attribution.explained import Explained, Gate


class Logits(nn.Module):
    """(image B×3×H×W, gate) to B×C logits of f, as a module: captum looks inside it for ReLUs and layers."""

    def __init__(self, explained: Explained) -> None:
        super().__init__()
        self.model = explained.model

    def forward(self, image: Tensor, gate: Gate) -> Tensor:
        """B×C."""
        return self.model.forward(image, gate).logits  # not as compiled: that would run past captum's hooks


class GradientMethod:
    """A captum method that attributes the target's logit to the pixels of the image in [0, 1].

    Gradients are those of f: through classifier and explainer where the heatmap is made anew, through the classifier
    alone where it is kept or white.
    """

    def __init__(
        self, explained: Explained, method: Callable[[Logits], GradientAttribution], **options: object
    ) -> None:
        """`method` makes captum's object; `options` are passed to its `attribute`."""
        self.explained, self.method, self.options = explained, method, options

    def attribution(self, image: Tensor, target: Tensor) -> Tensor:
        """B×3×H×W to the same shape, signed."""
        gate = self.explained.gate(image)
        method = self.method(Logits(self.explained))  # a new one: guided backpropagation keeps a list of its hooks
        image = image.detach().clone().requires_grad_()
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Setting backward hooks on ReLU")  # it removes them
            warnings.filterwarnings("ignore", "Internal batch size cannot be less")  # `integrated_gradients` says so
            attributed = method.attribute(image, target=target, additional_forward_args=(gate,), **self.options)
        return attributed.detach()

    def heatmap(self, image: Tensor, target: Tensor) -> Tensor:
        """Absolute attribution, summed over the channels: B×1×H×W."""
        return self.attribution(image, target).abs().sum(1, keepdim=True)
