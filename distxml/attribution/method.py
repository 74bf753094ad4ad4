"""The protocol that every heatmap method follows, and the methods by name."""

from typing import Protocol

from torch import Tensor

from distxml.attribution.explained import Explained
from distxml.attribution.in_model import InModel
from distxml.attribution.no_information import NoInformation
from distxml.attribution.saliency import GradientSaliency
from distxml.config.evaluation import EvaluationSettings, Method


class HeatmapMethod(Protocol):
    """Says how relevant each pixel is to a class. Only the order of the values has a meaning across methods."""

    def heatmap(self, image: Tensor, target: Tensor) -> Tensor:
        """Relevance of every pixel.

        Args:
            image: B×3×H×W in [0, 1].
            target: B int64, the class that is explained.

        Returns:
            B×1×H×W, not negative.
        """
        ...


def make_method(name: Method, explained: Explained, settings: EvaluationSettings) -> HeatmapMethod:
    """The method of that name, for f."""
    if name == "in_model":
        return InModel(explained)
    if name == "saliency":
        return GradientSaliency(explained)
    return NoInformation()
