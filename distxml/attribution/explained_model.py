"""f, the function of the image that methods explain and that is scored under perturbation; its in-model heatmap."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from distxml.config.evaluation import Gating
from distxml.models.joint import JointModel

GateInput = Tensor | Literal["white"] | None
"""What gates the classifier: heatmaps B×1×H×W, ones (`white`), or None: the model computes each image's heatmap."""


@dataclass(frozen=True)
class ExplainedModel:
    """A model in eval mode, and which heatmap its classifier is gated with.

    Attributes:
        gating: what gates the classifier of `model`, see `Recipe.scored_gating`.
        model: the one that is scored; its parameters need no gradients.
        explainer: the joint model whose explainer makes the in-model heatmaps: `model` itself, unless
            `EvaluationSettings.f` is `classifier_phase`.
    """

    gating: Gating
    model: JointModel
    explainer: JointModel

    def heatmap(self, image: Tensor) -> Tensor:
        """The in-model heatmap of B×3×H×W images: B×1×H×W in [0, 1], without gradients."""
        with torch.no_grad():
            return self.explainer.explainer(image)

    def gate(self, image: Tensor) -> GateInput:
        """What gates the classifier when these images, or perturbed copies of them, are scored."""
        if self.gating == "recompute":
            return None
        return self.gating_heatmap(image) if self.gating == "fixed" else "white"

    def gate_of_clean(self, in_model: Tensor) -> GateInput:
        """What gates the classifier for unperturbed images with these in-model heatmaps, B×1×H×W.

        The same as `gate`, but nothing is computed twice where the in-model heatmap is the one that gates.
        """
        if self.gating == "white":
            return "white"
        return in_model if self.explainer is self.model else None

    def gating_heatmap(self, image: Tensor) -> Tensor:
        """The heatmap that gates the classifier for unperturbed B×3×H×W images: B×1×H×W, without gradients."""
        if self.gating == "white":
            return image.new_ones(len(image), 1, *image.shape[2:])
        with torch.no_grad():
            return self.model.explainer(image)

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
