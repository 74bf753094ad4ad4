"""Grad-CAM and guided Grad-CAM by captum, at one of the classifier's gates."""

from captum.attr import GuidedGradCam, LayerAttribution, LayerGradCam
from torch import Tensor

from distxml.attribution.captum_methods import GradientMethod, Logits
from distxml.attribution.explained_model import ExplainedModel
from distxml.models.gate import gate_at


class GradCam:
    """Sum of gated feature maps, each channel weighted by the mean gradient of the target's logit by it.

    Negative values become 0; then bilinear interpolation to the image's size. Explainer and earlier gates change the
    values of these feature maps, but no gradient goes through them.

    Source: Selvaraju et al., "Grad-CAM" (ICCV 2017), equations 1 and 2; there of the last convolution.
    """

    def __init__(self, explained: ExplainedModel, grad_cam_layer: str) -> None:
        """`grad_cam_layer`: the gate whose output these feature maps are.

        Raises:
            UserError: the classifier has no such gate.
        """
        self.explained, self.gate = explained, gate_at(explained.model.classifier, grad_cam_layer)

    def heatmap(self, image: Tensor, target: Tensor) -> Tensor:
        """B×3×H×W to B×1×H×W, not negative."""
        gate = self.explained.gate(image)
        method = LayerGradCam(Logits(self.explained), self.gate)
        image = image.detach().clone().requires_grad_()
        coarse = method.attribute(image, target, additional_forward_args=(gate,), relu_attributions=True)
        assert isinstance(coarse, Tensor)  # B×1×h×w
        return LayerAttribution.interpolate(coarse, tuple(image.shape[2:]), "bilinear").detach()


def guided_grad_cam(explained: ExplainedModel, grad_cam_layer: str) -> GradientMethod:
    """Guided backpropagation times Grad-CAM at that gate.

    Raises:
        UserError: the classifier has no such gate.

    Source: Selvaraju et al., "Grad-CAM" (ICCV 2017), section 3.
    """
    gate = gate_at(explained.model.classifier, grad_cam_layer)
    return GradientMethod(explained, lambda logits: GuidedGradCam(logits, gate), interpolate_mode="bilinear")
