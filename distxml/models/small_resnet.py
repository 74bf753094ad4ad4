"""A residual network for small images, of torchvision's blocks, gated."""

from collections import OrderedDict
from itertools import pairwise

from torch import Tensor, nn
from torchvision.models.resnet import BasicBlock

from distxml.config.model import ModelSettings
from distxml.models.gate import Gate
from distxml.models.sync_batchnorm import sync_batchnorms

BLOCKS = 4


class _EverySecond(nn.Module):
    """B×C×H×W to B×C×⌈H/2⌉×⌈W/2⌉: every second pixel of every second row."""

    def forward(self, features: Tensor) -> Tensor:
        return features[:, :, ::2, ::2]


def _halving(inputs: int, outputs: int) -> nn.Sequential:
    """A 1×1 convolution of stride 2, and BatchNorm.

    The stride is a step of its own: with stride, 4 or 8 input channels and N×H×W×C in memory, which torch.compile
    chooses by itself, the backward pass of torch 2.14.1 on CPUs writes past its memory.
    """
    convolution = nn.Conv2d(inputs, outputs, 1, bias=False)
    named = {"every_second": _EverySecond(), "0": convolution, "1": nn.BatchNorm2d(outputs)}  # torchvision's keys
    return nn.Sequential(OrderedDict(named))


class SmallResNet(nn.Module):
    """(image B×3×H×W, heatmap B×1×H×W) to logits B×C, for images of 32 to 96 pixels.

    A 3×3 stem of w channels at full resolution, then one residual block each of w, 2w, 4w and 8w channels, which halve
    the resolution from the second on; times the pooled heatmap after the stem and after every block; global average.
    """

    def __init__(self, width: int, classes: int) -> None:
        super().__init__()
        widths = [width] + [width * 2**block for block in range(BLOCKS)]
        self.stem = nn.Sequential(nn.Conv2d(3, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU())
        self.blocks = nn.ModuleList(
            BasicBlock(inputs, outputs)
            if inputs == outputs
            else BasicBlock(inputs, outputs, stride=2, downsample=_halving(inputs, outputs))
            for inputs, outputs in pairwise(widths)
        )
        blocks = (f"block{number}" for number in range(1, BLOCKS + 1))
        self.gates = nn.ModuleList(Gate(place) for place in ("stem", *blocks))
        self.average = nn.AdaptiveAvgPool2d(1)  # a module: relevance propagation has a rule for it
        self.fc = nn.Linear(widths[-1], classes)
        nn.init.xavier_uniform_(self.fc.weight)
        nn.init.zeros_(self.fc.bias)

    def forward(self, image: Tensor, heatmap: Tensor) -> Tensor:
        features = image
        for layer, gate in zip([self.stem, *self.blocks], self.gates, strict=True):
            features = gate(layer(features), heatmap)  # B×w·2^k×h×w
        return self.fc(self.average(features).flatten(1))


def small_resnet(settings: ModelSettings, classes: int) -> SmallResNet:
    """As the settings say, its BatchNorms shared between workers where they ask for it."""
    network = SmallResNet(settings.width, classes)
    if settings.sync_batchnorm:
        sync_batchnorms(network)
    return network
