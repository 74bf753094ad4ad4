"""Grad-CAM and guided Grad-CAM, by captum, on the last gated feature maps."""

from captum.attr import GuidedGradCam, LayerAttribution, LayerGradCam
from torch import Tensor

from distxml.attribution.explained import Explained
from distxml.attribution.gradient_method import GradientMethod, Logits
from distxml.models.gate import last_gate


class GradCam:
    """Channels of the last gated feature maps, each weighted by the mean gradient of the target's logit by it, summed.

    What is negative becomes 0, then bilinear interpolation to the image's size. Explainer and earlier gates matter
    only by the values of these feature maps, not by gradients.

    Source: Selvaraju et al., "Grad-CAM" (ICCV 2017), equations 1 and 2.
    """

    def __init__(self, explained: Explained) -> None:
        self.explained = explained

    def heatmap(self, image: Tensor, target: Tensor) -> Tensor:
        """B×3×H×W to B×1×H×W, not negative."""
        gate = self.explained.gate(image)
        logits = Logits(self.explained)
        method = LayerGradCam(logits, last_gate(self.explained.model.classifier))
        image = image.detach().clone().requires_grad_()
        coarse = method.attribute(image, target, additional_forward_args=(gate,), relu_attributions=True)
        assert isinstance(coarse, Tensor)  # B×1×h×w
        return LayerAttribution.interpolate(coarse, tuple(image.shape[2:]), "bilinear").detach()


def guided_grad_cam(explained: Explained) -> GradientMethod:
    """Guided backpropagation times Grad-CAM.

    Source: Selvaraju et al., "Grad-CAM" (ICCV 2017), section 3.
    """
    layer = last_gate(explained.model.classifier)
    return GradientMethod(explained, lambda logits: GuidedGradCam(logits, layer), interpolate_mode="bilinear")
