"""The joint model's own explanation."""

import torch
from torch import Tensor

from distxml.models.joint import JointModel


class InModel:
    """The explainer's heatmap: the one that the classifier was gated with. The same for every target."""

    def __init__(self, model: JointModel) -> None:
        self.model = model

    def heatmap(self, image: Tensor, target: Tensor) -> Tensor:
        """B×3×H×W to B×1×H×W in [0, 1]."""
        del target
        with torch.no_grad():
            return self.model(image).heatmap
