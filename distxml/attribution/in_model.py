"""The joint model's own explanation."""

from torch import Tensor

from distxml.attribution.explained import Explained


class InModel:
    """The explainer's heatmap: the one that the joint model is gated with. The same for every target."""

    def __init__(self, explained: Explained) -> None:
        self.explained = explained

    def heatmap(self, image: Tensor, target: Tensor) -> Tensor:
        """B×3×H×W to B×1×H×W in [0, 1]."""
        del target
        return self.explained.heatmap(image)
