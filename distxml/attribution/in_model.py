"""The joint model's own explanation."""

from collections.abc import Sequence

import torch
from torch import Tensor

from distxml.models.joint import JointModel


class InModel:
    """The explainer's heatmap: the one that the classifier was gated with. The same for every target."""

    def __init__(self, model: JointModel) -> None:
        self.model = model

    def heatmap(self, image: Tensor, target: Tensor, keys: Sequence[str]) -> Tensor:
        """B×3×H×W to B×1×H×W in [0, 1]."""
        del target, keys
        with torch.no_grad():
            return self.model(image).heatmap
