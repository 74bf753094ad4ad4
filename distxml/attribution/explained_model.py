"""f, the function of the image that methods explain and that is scored under perturbation; its in-model heatmap."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from distxml.config.evaluation import Scoring
from distxml.models.joint import JointModel

GateInput = Tensor | Literal["white"] | None
"""What gates the classifier: heatmaps B×1×H×W, ones (`white`), or None: the model computes each image's heatmap."""


@dataclass(frozen=True)
class ExplainedModel:
    """A model in eval mode, and which heatmap its classifier is gated with.

    Attributes:
        f: see `EvaluationSettings.f`.
        model: the one that is scored; its parameters need no gradients.
        explainer: the joint model whose explainer makes the in-model heatmaps: `model` itself, unless f is
            `classifier_phase`.
    """

    f: Scoring
    model: JointModel
    explainer: JointModel

    def heatmap(self, image: Tensor) -> Tensor:
        """The in-model heatmap of B×3×H×W images: B×1×H×W in [0, 1], without gradients."""
        with torch.no_grad():
            return self.explainer.explainer(image)

    def gate(self, image: Tensor) -> GateInput:
        """What gates the classifier when these images, or perturbed copies of them, are scored."""
        if self.f == "recompute":
            return None
        return self.heatmap(image) if self.f == "fixed" else "white"

    def logits(self, image: Tensor, gate: GateInput) -> Tensor:
        """B×C logits of B×3×H×W images."""
        return self.model(image, gate).logits


class InModel:
    """The explainer's heatmap: the one that the joint model is gated with. The same for every target."""

    def __init__(self, explained: ExplainedModel) -> None:
        self.explained = explained

    def heatmap(self, image: Tensor, target: Tensor) -> Tensor:
        """B×3×H×W to B×1×H×W in [0, 1]."""
        del target
        return self.explained.heatmap(image)
