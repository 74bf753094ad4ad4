"""Heatmap methods."""

from typing import get_args

import pytest
import torch

from distxml.attribution.method import make_method
from distxml.config.evaluation import Method
from tests.unit.evaluation.small_model import SIZE, small_model


def images() -> torch.Tensor:
    return torch.rand(2, 3, *SIZE, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("name", get_args(Method))
def test_every_method_gives_one_finite_value_a_pixel(name):
    heatmap = make_method(name, small_model().model).heatmap(images(), torch.tensor([0, 1]))
    assert heatmap.shape == (2, 1, *SIZE)
    assert heatmap.isfinite().all()
    assert (heatmap >= 0).all()
    assert not heatmap.requires_grad


@pytest.mark.parametrize("name", get_args(Method))
def test_an_image_has_the_same_heatmap_in_any_company(name):
    method = make_method(name, small_model().model)
    together = method.heatmap(images(), torch.tensor([0, 1]))
    alone = method.heatmap(images()[1:], torch.tensor([1]))
    torch.testing.assert_close(together[1:], alone, atol=1e-5, rtol=1e-4)


def test_in_model_is_what_the_classifier_was_gated_with():
    model = small_model().model
    heatmap = make_method("in_model", model).heatmap(images(), torch.tensor([0, 1]))
    torch.testing.assert_close(model(images(), heatmap).logits, model(images()).logits)
    assert 0.05 < heatmap.mean() < 0.95


def test_saliency_is_the_slope_of_the_targets_logit():
    """Against finite differences, in float64."""
    model = small_model().model.double()
    image, target = images()[:1].double(), torch.tensor([1])
    heatmap = make_method("saliency", model).heatmap(image, target)
    for i, j in [(3, 4), (16, 16), (30, 1)]:
        slopes = []
        for channel in range(3):
            step = torch.zeros_like(image)
            step[0, channel, i, j] = 1e-6
            up, down = (model(image + sign * step).logits[0, 1].item() for sign in (1, -1))
            slopes.append(abs(up - down) / 2e-6)
        assert heatmap[0, 0, i, j].item() == pytest.approx(sum(slopes), rel=1e-3, abs=1e-7)


def test_saliency_leaves_the_model_without_gradients():
    model = small_model().model
    make_method("saliency", model).heatmap(images(), torch.tensor([0, 1]))
    assert all(parameter.grad is None for parameter in model.parameters())


def test_the_control_says_nothing():
    heatmap = make_method("random", small_model().model).heatmap(images(), torch.tensor([0, 1]))
    assert heatmap.unique().tolist() == [0]
