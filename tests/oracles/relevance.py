"""LRP-α1β0 of single images, layer by layer, on dense matrices in float64; networks of ours written out by hand.

The rule of every layer: an output hands its relevance to its inputs in proportion to their positive contributions
(matrix entry times input); a bias contributes nothing; what has no positive contribution loses its relevance.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchvision.models.resnet import BasicBlock

from distxml.models.small_resnet import SmallResNet
from distxml.models.vgg import VGG

Layer = Callable[[Tensor], Tensor]


def through(layer: Layer, inputs: Tensor, relevance: Tensor) -> Tensor:
    """Relevance of the inputs of an affine layer.

    `layer` takes and gives batches; `inputs` and `relevance` are of one image, without a batch dimension.
    """
    units = torch.eye(inputs.numel(), dtype=inputs.dtype).view(-1, *inputs.shape)
    matrix = (layer(units) - layer(torch.zeros_like(units))).flatten(1).T  # outputs × inputs, without biases
    contributions = (matrix * inputs.flatten()).clamp_min(0)
    total = contributions.sum(1)
    received = torch.zeros_like(inputs.flatten())
    for contribution, sum_of_all, given in zip(contributions, total, relevance.flatten(), strict=True):
        if sum_of_all > 0:
            received += contribution / sum_of_all * given
    return received.view(inputs.shape)


def through_sum(first: Tensor, second: Tensor, relevance: Tensor) -> tuple[Tensor, Tensor]:
    """Relevance of two summands: 3 and 1 share it three to one, 3 and -1 do not."""
    positive = first.clamp_min(0), second.clamp_min(0)
    total = positive[0] + positive[1]
    unit = relevance / torch.where(total > 0, total, 1)
    return positive[0] * unit, positive[1] * unit


def through_max_pool(inputs: Tensor, size: int, relevance: Tensor) -> Tensor:
    """Relevance of C×H×W before size×size max-pooling: all to the maximum, the first of equal ones."""
    received = torch.zeros_like(inputs)
    for channel in range(inputs.shape[0]):
        for i in range(relevance.shape[1]):
            for j in range(relevance.shape[2]):
                window = inputs[channel, i * size : (i + 1) * size, j * size : (j + 1) * size]
                row, column = divmod(int(window.flatten().argmax()), window.shape[1])
                received[channel, i * size + row, j * size + column] = relevance[channel, i, j]
    return received


def alone(layer: Layer, inputs: Tensor) -> Tensor:
    """A layer on an image without a batch dimension."""
    return layer(inputs[None])[0]


def gated(features: Tensor, heatmap: Tensor) -> Tensor:
    """C×h×w times the heatmap 1×H×W; relevance passes it unchanged, so there is no function for the way back."""
    return features * F.adaptive_avg_pool2d(heatmap, (features.shape[1], features.shape[2]))


def through_block(block: BasicBlock, inputs: Tensor, relevance: Tensor) -> Tensor:
    first: Layer = lambda x: block.bn1(block.conv1(x))  # noqa: E731
    second: Layer = lambda x: block.bn2(block.conv2(x))  # noqa: E731
    hidden = alone(first, inputs).relu()
    skipped = inputs if block.downsample is None else alone(block.downsample, inputs)
    of_second, of_skipped = through_sum(alone(second, hidden), skipped, relevance)
    received = through(first, inputs, through(second, hidden, of_second))
    if block.downsample is None:
        return received + of_skipped
    return received + through(block.downsample, inputs, of_skipped)


def one_logit(logits: Tensor, target: int) -> Tensor:
    return logits * (torch.arange(len(logits)) == target)


def relevance_of_small_resnet(network: SmallResNet, image: Tensor, heatmap: Tensor, target: int) -> Tensor:
    """3×H×W, for a float64 network in eval mode, an image 3×H×W and a heatmap 1×H×W."""
    stem: Layer = nn.Sequential(*list(network.stem)[:2])
    features = [gated(alone(stem, image).relu(), heatmap)]  # inputs of each block, then of the average
    for block in network.blocks:
        features.append(gated(alone(block, features[-1]), heatmap))
    average: Layer = lambda x: x.mean((2, 3))  # noqa: E731
    means = alone(average, features[-1])
    relevance = through(network.fc, means, one_logit(network.fc(means), target))
    relevance = through(average, features.pop(), relevance)
    for block in reversed(network.blocks):
        assert isinstance(block, BasicBlock)
        relevance = through_block(block, features.pop(), relevance)
    return through(stem, image, relevance)


def relevance_of_vgg(network: VGG, image: Tensor, heatmap: Tensor, target: int) -> Tensor:
    """3×H×W, for a float64 network in eval mode, an image 3×H×W and a heatmap 1×H×W."""
    way_back: list[Callable[[Tensor], Tensor]] = []

    def affine(layer: nn.Module, inputs: Tensor) -> Tensor:
        way_back.append(lambda relevance: through(layer, inputs, relevance))
        return alone(layer, inputs)

    def max_pool(inputs: Tensor, size: int) -> Tensor:
        way_back.append(lambda relevance: through_max_pool(inputs, size, relevance))
        return F.max_pool2d(inputs, size)

    x = image
    for stage in network.stages:
        assert isinstance(stage, nn.Sequential)
        x = max_pool(gated(affine(stage[2], affine(stage[0], x).relu()).relu(), heatmap), 2)
    assert x.shape[1] == x.shape[2], "global max-pooling is written for square images"
    x = max_pool(x, x.shape[1])
    way_back.append(lambda relevance: relevance.view(-1, 1, 1))
    x = affine(network.head[3], affine(network.head[0], x.flatten()).sigmoid()).sigmoid()
    relevance = one_logit(affine(network.head[6], x), target)
    for step in reversed(way_back):
        relevance = step(relevance)
    return relevance
