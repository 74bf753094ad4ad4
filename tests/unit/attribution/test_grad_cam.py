"""Grad-CAM by hand: the VGG's forward pass, weights and upsampling written out."""

from typing import get_args

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from distxml.attribution.explained_model import ExplainedModel
from distxml.attribution.methods import make_method
from distxml.config.evaluation import Gating, Method
from distxml.errors import UserError
from distxml.models.vgg import VGG
from tests.unit.attribution.subjects import SETTINGS, explained, images


def through(network: VGG, stages: range, x: Tensor, heat: Tensor) -> Tensor:
    """Gated feature maps after these stages, counted from 0, before the max-pooling that follows: B×C×h×w."""
    for index in stages:
        x = x if index == 0 else F.max_pool2d(x, 2)
        x = network.stages[index](x)
        x = x * F.adaptive_avg_pool2d(heat, (x.shape[2], x.shape[3]))
    return x


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


def by_hand(subject: ExplainedModel, image: Tensor, target: int, stage: int = 3) -> Tensor:
    """At the gate after this stage, counted from 0."""
    network = subject.model.classifier
    assert isinstance(network, VGG)
    heat = torch.ones_like(image[:, :1]) if subject.gating == "white" else subject.heatmap(image)
    maps = through(network, range(stage + 1), image, heat)[0].detach().requires_grad_()  # C×h×w
    last = through(network, range(stage + 1, 4), maps[None], heat)
    logit = network.head(F.max_pool2d(last, 2).amax((2, 3)))[0, target]
    (gradient,) = torch.autograd.grad(logit, maps)
    weights = gradient.mean((1, 2))
    weighted = sum(weight * channel for weight, channel in zip(weights, maps.detach(), strict=True))
    assert isinstance(weighted, Tensor)
    return bilinear(weighted.clamp_min(0), *image.shape[2:])


@pytest.mark.parametrize("gating", get_args(Gating))
def test_grad_cam_by_hand(gating: Gating) -> None:
    subject, image = explained(gating), images(1)
    both = make_method("grad_cam", subject, SETTINGS, seed=0).heatmap(image.repeat(2, 1, 1, 1), torch.tensor([0, 1]))
    expected = torch.stack([by_hand(subject, image, target) for target in (0, 1)])
    assert expected.max() > 0
    torch.testing.assert_close(both[:, 0], expected, rtol=1e-4, atol=1e-5 * float(expected.max()))


@pytest.mark.parametrize("gating", get_args(Gating))
def test_another_layer_by_hand(gating: Gating) -> None:
    subject, image = explained(gating), images(1)
    settings = SETTINGS.model_copy(update={"grad_cam_layer": "stage2"})
    heatmap = make_method("grad_cam", subject, settings, seed=0).heatmap(image, torch.tensor([1]))
    expected = by_hand(subject, image, 1, stage=1)
    assert expected.max() > 0
    torch.testing.assert_close(heatmap[0, 0], expected, rtol=1e-4, atol=1e-5 * float(expected.max()))
    guided = make_method("guided_grad_cam", subject, settings, seed=0).heatmap(image, torch.tensor([1]))
    backprop = make_method("guided_backprop", subject, settings, seed=0).heatmap(image, torch.tensor([1]))
    torch.testing.assert_close(guided, heatmap * backprop)


@pytest.mark.parametrize("name", ["grad_cam", "guided_grad_cam"])
def test_a_layer_that_is_not_there_is_refused(name: Method) -> None:
    settings = SETTINGS.model_copy(update={"grad_cam_layer": "layer4.1"})
    with pytest.raises(UserError, match=r"grad_cam_layer=layer4.1: .* one of stage1, stage2, stage3, stage4, or last"):
        make_method(name, explained("white"), settings, seed=0)


@pytest.mark.parametrize("gating", get_args(Gating))
def test_guided_grad_cam_is_the_product(gating: Gating) -> None:
    subject, image, target = explained(gating), images(1).repeat(2, 1, 1, 1), torch.tensor([0, 1])
    names = ("grad_cam", "guided_backprop")
    parts = [make_method(name, subject, SETTINGS, seed=0).heatmap(image, target) for name in names]
    product = make_method("guided_grad_cam", subject, SETTINGS, seed=0).heatmap(image, target)
    torch.testing.assert_close(product, parts[0] * parts[1])
