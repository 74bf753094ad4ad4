"""Gradient saliency, by captum."""

import torch
from captum.attr import Saliency
from torch import Tensor

from distxml.models.joint import JointModel


class GradientSaliency:
    """Absolute gradient of the target's logit by the image, summed over the channels.

    It is the gradient of the function of the image that is scored under perturbation: through classifier and
    explainer where the heatmap is made anew, through the classifier alone where the heatmap is kept.

    Source: Simonyan, Vedaldi, Zisserman, "Deep Inside Convolutional Networks" (2013), section 3; sum over channels
    instead of their maximum.
    """

    def __init__(self, model: JointModel, keep_heatmap: bool) -> None:
        self.model = model
        self.keep_heatmap = keep_heatmap

    def heatmap(self, image: Tensor, target: Tensor) -> Tensor:
        """B×3×H×W to B×1×H×W, not negative."""
        gate = self._kept(image) if self.keep_heatmap else None
        saliency = Saliency(lambda image: self.model(image, gate).logits)
        image = image.detach().clone().requires_grad_()
        gradient = saliency.attribute(image, target=target, abs=True)  # B×3×H×W
        return gradient.sum(1, keepdim=True).detach()

    def _kept(self, image: Tensor) -> Tensor:
        with torch.no_grad():
            return self.model(image).heatmap
