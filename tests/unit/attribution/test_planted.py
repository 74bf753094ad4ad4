"""A model that is known to look for red pixels alone: every method of the model's must find the red square."""

from typing import get_args

import pytest
import torch
from torch import nn

from distxml.attribution.explained_model import ExplainedModel
from distxml.attribution.methods import make_method
from distxml.config.evaluation import Gating, Method
from distxml.config.model import ModelSettings
from distxml.models.joint import JointModel
from tests.unit.attribution.subjects import SETTINGS, images

SQUARE = (slice(8, 24), slice(8, 24))
SHARE_IN_SQUARE: dict[Method, float] = {
    "saliency": 1,
    "input_x_gradient": 1,
    "input_x_gradient_absolute": 1,
    "integrated_gradients": 1,
    "integrated_gradients_absolute": 1,
    "guided_backprop": 1,
    "deconvolution": 1,
    "grad_cam": 0.75,  # 4×4 cells, interpolated: (14 / 16)² of the heat of a square of 2×2 cells stays inside
    "guided_grad_cam": 1,
    "lrp": 1,
    "smoothgrad": 1,
    "occlusion": 1,
}


def finds_red() -> JointModel:
    """A VGG whose channels 0 carry red minus green minus blue to the logit of class 1; its heatmap is 0.76."""
    model = JointModel(ModelSettings(classifier="vgg", width=1, explainer_width=4, init_bias=1.0), 2).eval()
    convolutions = [module for module in model.classifier.modules() if isinstance(module, nn.Conv2d)]
    linears = [module for module in model.classifier.modules() if isinstance(module, nn.Linear)]
    with torch.no_grad():
        for parameter in [*model.classifier.parameters(), *model.explainer.to_heat.parameters()]:
            parameter.zero_()
        convolutions[0].weight[0, :, 1, 1] = torch.tensor([1.0, -1.0, -1.0])
        for convolution in convolutions[1:]:
            convolution.weight[0, 0, 1, 1] = 1
        for linear in linears[:-1]:
            linear.weight[0, 0] = 3
        linears[-1].weight[1, 0] = 1
    return model


def gray_noise_with_a_red_square() -> torch.Tensor:
    image = images(1)[:, :1].repeat(1, 3, 1, 1)
    image[0, 0][SQUARE] = 0.9
    image[0, 1:, SQUARE[0], SQUARE[1]] *= 0.2
    return image


@pytest.mark.parametrize("gating", get_args(Gating))
@pytest.mark.parametrize("name", SHARE_IN_SQUARE)
def test_heat_is_where_the_model_looks(name: Method, gating: Gating) -> None:
    model = finds_red()
    method = make_method(name, ExplainedModel(gating, model, model), SETTINGS, seed=0)
    heatmap = method.heatmap(gray_noise_with_a_red_square(), torch.tensor([1]))[0, 0].clamp_min(0)
    share = heatmap[SQUARE].sum() / heatmap.sum()
    assert share.item() == pytest.approx(1, abs=1e-4) if SHARE_IN_SQUARE[name] == 1 else share > SHARE_IN_SQUARE[name]
