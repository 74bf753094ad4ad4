"""`JointModel`: explainer -> heatmap -> multiplies the classifier's feature maps."""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from distxml.config.model import ModelSettings
from distxml.models.classifiers import CLASSIFIERS
from distxml.models.explainer import Explainer
from distxml.registry import load

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class JointOutput:
    """What the joint model says about B images, in the images' precision, under autocast too.

    Attributes:
        logits: B×C.
        heatmap: B×1×H×W in [0, 1], the one that the classifier was gated with.
    """

    logits: Tensor
    heatmap: Tensor


class JointModel(nn.Module):
    """Explainer and gated classifier; images come in [0, 1] and are normalised inside.

    Source: Rio-Torto, Fernandes, Teixeira, Pattern Recognition Letters 133 (2020), section 3.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, settings: ModelSettings, classes: int) -> None:
        super().__init__()
        self.explainer = Explainer(settings.explainer_width, settings.init_bias, settings.explainer_momentum)
        self.classifier = load(CLASSIFIERS[settings.classifier].make)(settings, classes)
        known = settings.normalization == "imagenet"
        mean, std = (IMAGENET_MEAN, IMAGENET_STD) if known else ((0.0,) * 3, (1.0,) * 3)
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(1, 3, 1, 1), persistent=False)

    def forward(self, image: Tensor, heatmap: Tensor | Literal["white"] | None = None) -> JointOutput:
        """Classify B×3×H×W images.

        Args:
            image: B×3×H×W in [0, 1].
            heatmap: B×1×H×W to gate with instead of the explainer's, or `white` for one of ones.
        """
        gating = self._heatmap(image, heatmap)
        logits = self.classifier((image - self.mean) / self.std, gating)
        return JointOutput(logits.to(image.dtype), gating)

    def _heatmap(self, image: Tensor, given: Tensor | Literal["white"] | None) -> Tensor:
        if given is None:
            return self.explainer(image)
        if isinstance(given, Tensor):
            return given
        return image.new_ones(len(image), 1, *image.shape[2:])
