"""Gradient saliency, by captum."""

from captum.attr import Saliency
from torch import Tensor

from distxml.attribution.explained import Explained


class GradientSaliency:
    """Absolute gradient of the target's logit by the image, summed over the channels.

    It is the gradient of f: through classifier and explainer where the heatmap is made anew, through the classifier
    alone where it is kept or white.

    Source: Simonyan, Vedaldi, Zisserman, "Deep Inside Convolutional Networks" (2013), section 3; sum over channels
    instead of their maximum.
    """

    def __init__(self, explained: Explained) -> None:
        self.explained = explained

    def heatmap(self, image: Tensor, target: Tensor) -> Tensor:
        """B×3×H×W to B×1×H×W, not negative."""
        gate = self.explained.gate(image)
        saliency = Saliency(lambda image: self.explained.logits(image, gate))
        image = image.detach().clone().requires_grad_()
        gradient = saliency.attribute(image, target=target, abs=True)  # B×3×H×W
        return gradient.sum(1, keepdim=True).detach()
