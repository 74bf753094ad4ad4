"""The paper's VGG, gated."""

from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn

from distxml.config.model import ModelSettings
from distxml.models.gate import Gate

STAGES = 4
HIDDEN = 128
DROPOUT = 0.3


class VGG(nn.Module):
    """(image B×3×H×W, heatmap B×1×H×W) to logits B×C.

    Stages of w, 2w, 4w and 8w channels: two 3×3 convolutions with ReLU, times the pooled heatmap, 2×2 max-pool. Then
    global max-pool and fully connected layers of 128, 128 and C; sigmoid and dropout 0.3 after the hidden ones.

    Convolutions start from He's initialisation: with torch's default, eight layers without BatchNorm shrink the signal
    until all images give the same logits.

    Source: Rio-Torto et al. (2020), section 3.2, and the reference code (w = 32).
    """

    def __init__(self, width: int, classes: int) -> None:
        super().__init__()
        widths = [3] + [width * 2**stage for stage in range(STAGES)]
        self.stages = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(inputs, outputs, 3, padding=1),
                nn.ReLU(),
                nn.Conv2d(outputs, outputs, 3, padding=1),
                nn.ReLU(),
            )
            for inputs, outputs in pairwise(widths)
        )
        self.gates = nn.ModuleList(Gate(f"stage{number}") for number in range(1, STAGES + 1))
        self.head = nn.Sequential(
            nn.Linear(widths[-1], HIDDEN),
            nn.Sigmoid(),
            nn.Dropout(DROPOUT),
            nn.Linear(HIDDEN, HIDDEN),
            nn.Sigmoid(),
            nn.Dropout(DROPOUT),
            nn.Linear(HIDDEN, classes),
        )
        for layer in self.head:
            if isinstance(layer, nn.Linear):
                nn.init.xavier_uniform_(layer.weight)
                nn.init.zeros_(layer.bias)
        for layer in self.stages.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")

    def forward(self, image: Tensor, heatmap: Tensor) -> Tensor:
        features = image
        for stage, gate in zip(self.stages, self.gates, strict=True):
            features = gate(stage(features), heatmap)  # B×w·2^k×h×w
            features = F.max_pool2d(features, 2)
        return self.head(features.amax((2, 3)))


def vgg(settings: ModelSettings, classes: int) -> VGG:
    """As the settings say; it has no BatchNorm to share."""
    return VGG(settings.width, classes)
