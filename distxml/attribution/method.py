"""The protocol that every heatmap method follows, and the methods by name."""

from collections.abc import Sequence
from typing import Protocol

from torch import Tensor

from distxml.attribution.in_model import InModel
from distxml.attribution.no_information import NoInformation
from distxml.attribution.saliency import GradientSaliency
from distxml.config.evaluation import Method
from distxml.models.joint import JointModel


class HeatmapMethod(Protocol):
    """Says how relevant each pixel is to a class. Only the order of the values has a meaning across methods."""

    def heatmap(self, image: Tensor, target: Tensor, keys: Sequence[str]) -> Tensor:
        """Relevance of every pixel.

        Args:
            image: B×3×H×W in [0, 1].
            target: B int64, the class that is explained.
            keys: B unique names; a method that draws at random seeds itself with them.

        Returns:
            B×1×H×W, not negative.
        """
        ...


def make_method(name: Method, model: JointModel) -> HeatmapMethod:
    """The method of that name, on a model in eval mode."""
    if name == "in_model":
        return InModel(model)
    if name == "saliency":
        return GradientSaliency(model)
    return NoInformation()
