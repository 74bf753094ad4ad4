"""The protocol that every heatmap method follows, and the methods by name."""

from collections.abc import Callable
from typing import Protocol

from torch import Tensor

from distxml.attribution.captum_methods import (
    GradCam,
    deconvolution,
    guided_backprop,
    guided_grad_cam,
    input_x_gradient,
    integrated_gradients,
    saliency,
)
from distxml.attribution.controls import CannyEdges, CenterDistance, NoInformation, OtsuObject
from distxml.attribution.explained import Explained, InModel
from distxml.attribution.lrp import RelevancePropagation
from distxml.config.evaluation import EvaluationSettings, Method

STEPS_AT_ONCE = 8
"""Steps of integrated gradients in a forward pass: not `batch_size`, on which the last bits would depend, and with them
the order of patches that score nearly the same."""


class HeatmapMethod(Protocol):
    """Says how relevant each pixel is to a class. Only the order of the values has a meaning across methods."""

    def heatmap(self, image: Tensor, target: Tensor) -> Tensor:
        """Relevance of every pixel.

        Args:
            image: B×3×H×W in [0, 1].
            target: B int64, the class that is explained.

        Returns:
            B×1×H×W, not negative, without gradients. An image has the same one in any company.
        """
        ...


def make_method(name: Method, explained: Explained, settings: EvaluationSettings) -> HeatmapMethod:
    """The method of that name, for f. The model is where it stays, in eval mode."""
    makers: dict[Method, Callable[[], HeatmapMethod]] = {
        "in_model": lambda: InModel(explained),
        "saliency": lambda: saliency(explained),
        "input_x_gradient": lambda: input_x_gradient(explained),
        "integrated_gradients": lambda: integrated_gradients(explained, settings.integration_steps, STEPS_AT_ONCE),
        "guided_backprop": lambda: guided_backprop(explained),
        "deconvolution": lambda: deconvolution(explained),
        "grad_cam": lambda: GradCam(explained),
        "guided_grad_cam": lambda: guided_grad_cam(explained),
        "lrp": lambda: RelevancePropagation(explained),
        "canny": CannyEdges,
        "otsu": OtsuObject,
        "center_distance": CenterDistance,
        "random": NoInformation,
    }
    return makers[name]()
