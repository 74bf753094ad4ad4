"""A residual network for small images, of torchvision's blocks, gated."""

from itertools import pairwise

from torch import Tensor, nn
from torchvision.models.resnet import BasicBlock

from distxml.models.gate import gate

BLOCKS = 4


def _halving(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride=2, bias=False), nn.BatchNorm2d(outputs))


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
        self.fc = nn.Linear(widths[-1], classes)
        nn.init.xavier_uniform_(self.fc.weight)
        nn.init.zeros_(self.fc.bias)

    def forward(self, image: Tensor, heatmap: Tensor) -> Tensor:
        features = gate(self.stem(image), heatmap)
        for block in self.blocks:
            features = gate(block(features), heatmap)  # B×w·2^k×h×w
        return self.fc(features.mean((2, 3)))
