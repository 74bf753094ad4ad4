"""Gradient saliency, by captum."""

from collections.abc import Sequence

from captum.attr import Saliency
from torch import Tensor

from distxml.models.joint import JointModel


class GradientSaliency:
    """Absolute gradient of the target's logit by the image, summed over the channels.

    The gradient runs through classifier and explainer, the same function of the image that is scored when the
    heatmap is recomputed under perturbation.

    Source: Simonyan, Vedaldi, Zisserman, "Deep Inside Convolutional Networks" (2013), section 3; sum over channels
    instead of their maximum.
    """

    def __init__(self, model: JointModel) -> None:
        self.model = model
        self.saliency = Saliency(self._logits)

    def _logits(self, image: Tensor) -> Tensor:
        return self.model(image).logits

    def heatmap(self, image: Tensor, target: Tensor, keys: Sequence[str]) -> Tensor:
        """B×3×H×W to B×1×H×W, not negative."""
        del keys
        image = image.detach().clone().requires_grad_()
        gradient = self.saliency.attribute(image, target=target, abs=True)  # B×3×H×W
        return gradient.sum(1, keepdim=True).detach()
