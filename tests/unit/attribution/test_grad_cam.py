"""Grad-CAM by hand: the VGG's forward pass, weights and upsampling written out."""

from typing import get_args

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from distxml.attribution.explained_model import ExplainedModel
from distxml.attribution.methods import make_method
from distxml.config.evaluation import Gating
from distxml.models.vgg import VGG
from tests.unit.attribution.subjects import SETTINGS, explained, images


def last_feature_maps(network: VGG, image: Tensor, heat: Tensor) -> Tensor:
    """Gated, before the last max-pooling: 8w×h×w of one image."""
    x = image
    for index, stage in enumerate(network.stages):
        x = x if index == 0 else F.max_pool2d(x, 2)
        x = stage(x)
        x = x * F.adaptive_avg_pool2d(heat, x.shape[2:])
    return x[0]


def bilinear(coarse: Tensor, height: int, width: int) -> Tensor:
    """h×w to H×W, pixel by pixel, centres of the corner cells half a cell inside."""
    fine = torch.zeros(height, width)
    for i in range(height):
        for j in range(width):
            row = min(max((i + 0.5) * coarse.shape[0] / height - 0.5, 0), coarse.shape[0] - 1)
            column = min(max((j + 0.5) * coarse.shape[1] / width - 0.5, 0), coarse.shape[1] - 1)
            top, left = int(row), int(column)
            bottom, right = min(top + 1, coarse.shape[0] - 1), min(left + 1, coarse.shape[1] - 1)
            down, across = row - top, column - left
            upper = coarse[top, left] * (1 - across) + coarse[top, right] * across
            lower = coarse[bottom, left] * (1 - across) + coarse[bottom, right] * across
            fine[i, j] = upper * (1 - down) + lower * down
    return fine


def by_hand(subject: ExplainedModel, image: Tensor, target: int) -> Tensor:
    network = subject.model.classifier
    assert isinstance(network, VGG)
    heat = torch.ones_like(image[:, :1]) if subject.gating == "white" else subject.heatmap(image)
    maps = last_feature_maps(network, image, heat).detach().requires_grad_()
    logit = network.head(F.max_pool2d(maps, 2).amax((1, 2)))[target]
    (gradient,) = torch.autograd.grad(logit, maps)
    weights = gradient.mean((1, 2))
    weighted = sum(weight * channel for weight, channel in zip(weights, maps.detach(), strict=True))
    assert isinstance(weighted, Tensor)
    return bilinear(weighted.clamp_min(0), *image.shape[2:])


@pytest.mark.parametrize("gating", get_args(Gating))
def test_grad_cam_by_hand(gating: Gating) -> None:
    subject, image = explained(gating), images(1)
    both = make_method("grad_cam", subject, SETTINGS).heatmap(image.repeat(2, 1, 1, 1), torch.tensor([0, 1]))
    expected = torch.stack([by_hand(subject, image, target) for target in (0, 1)])
    assert expected.max() > 0
    torch.testing.assert_close(both[:, 0], expected, rtol=1e-4, atol=1e-5 * float(expected.max()))


@pytest.mark.parametrize("gating", get_args(Gating))
def test_guided_grad_cam_is_the_product(gating: Gating) -> None:
    subject, image, target = explained(gating), images(1).repeat(2, 1, 1, 1), torch.tensor([0, 1])
    parts = [make_method(name, subject, SETTINGS).heatmap(image, target) for name in ("grad_cam", "guided_backprop")]
    product = make_method("guided_grad_cam", subject, SETTINGS).heatmap(image, target)
    torch.testing.assert_close(product, parts[0] * parts[1])
