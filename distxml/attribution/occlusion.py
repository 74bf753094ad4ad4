"""Occlusion sensitivity: how far the probability falls where a gray window covers the image. By captum."""

import torch
from captum.attr import Occlusion
from torch import Tensor

from distxml.attribution.copies import COPIES_PER_PASS, probabilities
from distxml.attribution.explained_model import ExplainedModel, GateInput

GRAY = 0.5
"""Of the window, in all channels."""


class OcclusionSensitivity:
    """A pixel's heat is p(image) − p(covered), p being the target's probability, in the mean over all places of the
    window that cover the pixel. Negative where p rises: what was covered speaks against the target.

    The window is a square that starts at the upper left corner and moves by the stride; where it reaches beyond the
    right or lower border, it is cut off.

    Source: Zeiler, Fergus, "Visualizing and Understanding Convolutional Networks" (2013), section 4.2, who show p by
    place of the window.
    """

    def __init__(self, explained: ExplainedModel, occlusion_window: float, occlusion_stride: float) -> None:
        """The window's side as a share of the image's shorter side, and the stride as a share of the window's."""
        self.explained, self.window, self.stride = explained, occlusion_window, occlusion_stride

    def heatmap(self, image: Tensor, target: Tensor) -> Tensor:
        """B×3×H×W to B×1×H×W, signed."""
        pairs = zip(image.split(1), target.tolist(), strict=True)
        return torch.cat([self._of_one(one, index) for one, index in pairs])

    def _of_one(self, image: Tensor, target: int) -> Tensor:
        side = max(1, round(self.window * min(image.shape[2:])))
        stride = max(1, round(self.stride * side))
        drops = Occlusion(self._probabilities).attribute(
            image,
            sliding_window_shapes=(image.shape[1], side, side),
            strides=(image.shape[1], stride, stride),
            baselines=GRAY,
            target=target,
            additional_forward_args=(self.explained.gate(image),),
            perturbations_per_eval=COPIES_PER_PASS,
        )
        return drops[:, :1]  # the same in every channel: the window covers all of them

    def _probabilities(self, copies: Tensor, gate: GateInput) -> Tensor:
        return probabilities(self.explained, copies, gate)
