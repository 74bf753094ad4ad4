"""The explainer: a small U-Net from an image to a heatmap."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from distxml.models.sync_batchnorm import SyncBatchNorm2d


def _two_convolutions(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(outputs, outputs, 3, padding=1),
        nn.ReLU(),
    )


class Explainer(nn.Module):
    """B×3×H×W in [0, 1] to a heatmap B×1×H×W in [0, 1]; H and W are multiples of 4.

    Encoder stages of w, 2w and 4w channels with 2×2 max-pooling between; the decoder adds the encoder stage of its
    resolution. The last BatchNorm starts with bias `init_bias`: at 3, tanh(3) = 0.995, the heatmap starts white; its
    running statistics follow the batches by `momentum`.

    Under autocast the last convolution and what follows still compute in the image's precision: neighbouring pixels
    of a bfloat16 heatmap would differ by steps of 1/256, which contiguity would count.

    Source: Rio-Torto et al. (2020), section 3.1, and the reference code.
    """

    def __init__(self, width: int = 32, init_bias: float = 3.0, momentum: float = 0.1) -> None:
        super().__init__()
        self.encode1 = _two_convolutions(3, width)
        self.encode2 = _two_convolutions(width, 2 * width)
        self.encode3 = _two_convolutions(2 * width, 4 * width)
        self.up2 = nn.ConvTranspose2d(4 * width, 2 * width, 2, stride=2)
        self.decode2 = _two_convolutions(2 * width, 2 * width)
        self.up1 = nn.ConvTranspose2d(2 * width, width, 2, stride=2)
        self.decode1 = _two_convolutions(width, width)
        self.to_heat = nn.Conv2d(width, 1, 1)
        self.normalize = SyncBatchNorm2d(1, momentum=momentum)
        nn.init.constant_(self.normalize.bias, init_bias)
        self.rectify = nn.ReLU()  # a module, as the others: guided backpropagation treats all ReLUs alike

    def forward(self, image: Tensor) -> Tensor:
        fine = self.encode1(image)  # B×w×H×W
        middle = self.encode2(F.max_pool2d(fine, 2))  # B×2w×H/2×W/2
        coarse = self.encode3(F.max_pool2d(middle, 2))  # B×4w×H/4×W/4
        middle = self.decode2(self.up2(coarse) + middle)
        fine = self.decode1(self.up1(middle) + fine)
        with torch.autocast(image.device.type, enabled=False):
            heat = self.to_heat(fine.to(image.dtype))  # B×1×H×W
            return self.rectify(self.normalize(heat).tanh())
