"""Methods that use the gradient of f by the image: against slopes, integrals, own ReLUs and plain torchvision."""

from typing import Literal, get_args

import numpy as np
import pytest
import torch
from captum.attr import (
    Deconvolution,
    GuidedBackprop,
    GuidedGradCam,
    InputXGradient,
    IntegratedGradients,
    LayerAttribution,
    LayerGradCam,
    Saliency,
)
from torch import Tensor
from torchvision.models import ResNet, resnet18

from distxml.attribution.captum_methods import GradientMethod, integrated_gradients
from distxml.attribution.explained_model import ExplainedModel
from distxml.attribution.methods import METHODS, make_method
from distxml.config.evaluation import Gating, Method
from tests.oracles.modified_relus import with_modified_relus
from tests.unit.attribution.subjects import SETTINGS, classifier_like_a_trained_one, explained, images

EVERY_GATING = pytest.mark.parametrize("gating", get_args(Gating))
PIXELS = [(3, 4), (16, 16), (30, 1)]


def slopes(subject: ExplainedModel, image: Tensor, target: int, i: int, j: int) -> list[float]:
    """Central differences of the target's logit by the channels of a pixel, with the gate of the clean image."""
    gate = subject.gate(image)
    found: list[float] = []
    for channel in range(3):
        step = torch.zeros_like(image)
        step[0, channel, i, j] = 1e-6
        up, down = (subject.logits(image + sign * step, gate)[0, target].item() for sign in (1, -1))
        found.append((up - down) / 2e-6)
    return found


def in_float64(subject: ExplainedModel) -> ExplainedModel:
    return ExplainedModel(subject.gating, subject.model.double(), subject.explainer.double())


@EVERY_GATING
def test_saliency_is_the_slope_of_the_targets_logit(gating: Gating) -> None:
    subject, image = in_float64(explained(gating)), images(1).double()
    heatmap = make_method("saliency", subject, SETTINGS, seed=0).heatmap(image, torch.tensor([1]))
    for i, j in PIXELS:
        expected = sum(abs(slope) for slope in slopes(subject, image, 1, i, j))
        assert heatmap[0, 0, i, j].item() == pytest.approx(expected, rel=1e-3, abs=1e-7)


@EVERY_GATING
def test_input_x_gradient_is_slope_times_pixel_with_its_sign_or_without(gating: Gating) -> None:
    subject, image, target = in_float64(explained(gating)), images(1).double(), torch.tensor([0])
    signed = make_method("input_x_gradient", subject, SETTINGS, seed=0).heatmap(image, target)
    absolute = make_method("input_x_gradient_absolute", subject, SETTINGS, seed=0).heatmap(image, target)
    assert signed.min() < 0 < signed.max()
    for i, j in PIXELS:
        parts = [
            slope * x for slope, x in zip(slopes(subject, image, 0, i, j), image[0, :, i, j].tolist(), strict=True)
        ]
        assert signed[0, 0, i, j].item() == pytest.approx(sum(parts), rel=1e-3, abs=1e-7)
        assert absolute[0, 0, i, j].item() == pytest.approx(sum(map(abs, parts)), rel=1e-3, abs=1e-7)


@EVERY_GATING
def test_integrated_gradients_are_gradients_at_the_nodes_of_the_quadrature(gating: Gating) -> None:
    """One image on the way at a time; a gate that is kept stays that of the clean image."""
    subject, image = in_float64(explained(gating)), images(1).double()
    gate = subject.gate(image)
    mean = torch.zeros_like(image)
    for node, weight in zip(*np.polynomial.legendre.leggauss(5), strict=True):
        on_the_way = ((node + 1) / 2 * image).requires_grad_()
        (gradient,) = torch.autograd.grad(subject.logits(on_the_way, gate)[0, 1], on_the_way)
        mean += weight / 2 * gradient
    found = integrated_gradients(subject, 5, 2).attribution(image, torch.tensor([1]))
    torch.testing.assert_close(found, mean * image, rtol=1e-5, atol=1e-7)
    settings = SETTINGS.model_copy(update={"integration_steps": 5})
    parts = {"integrated_gradients": mean * image, "integrated_gradients_absolute": (mean * image).abs()}
    for name, expected in parts.items():
        heatmap = make_method(name, subject, settings, seed=0).heatmap(image, torch.tensor([1]))
        torch.testing.assert_close(heatmap, expected.sum(1, keepdim=True), rtol=1e-4, atol=1e-7)


@EVERY_GATING
def test_integrated_gradients_sum_up_to_the_difference_to_black(gating: Gating) -> None:
    """Up to the quadrature of a path on which many ReLUs switch: to 3% of the way that the logit makes on it."""
    subject, image, target = in_float64(explained(gating)), images(1).double(), torch.tensor([0])
    heatmap = integrated_gradients(subject, 200, 100).heatmap(image, target)
    path = torch.linspace(0, 1, 100, dtype=torch.float64).view(-1, 1, 1, 1) * image
    gate = subject.gate(image)
    kept = gate.expand(len(path), -1, -1, -1) if isinstance(gate, Tensor) else gate
    logit = subject.logits(path, kept)[:, 0].detach()
    assert (logit[-1] - logit[0]).abs() > 0.1
    assert abs(heatmap.sum() - (logit[-1] - logit[0])) < 0.03 * logit.diff().abs().sum()


def test_integrated_gradients_do_not_depend_on_the_batch_size() -> None:
    subject, target = explained("fixed"), torch.tensor([0, 1])
    one, other = (integrated_gradients(subject, 7, size).attribution(images(), target) for size in (3, 64))
    torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("classifier", ["vgg", "resnet18"])
@EVERY_GATING
@pytest.mark.parametrize("name", ["guided_backprop", "deconvolution"])
def test_modified_relus_against_relus_of_our_own(
    name: Literal["guided_backprop", "deconvolution"], gating: Gating, classifier: str
) -> None:
    """ResNets call one ReLU, which works in place, more than once in a block."""
    model = classifier_like_a_trained_one(classifier, size=32)
    subject, target = ExplainedModel(gating, model, model), torch.tensor([2])
    method = make_method(name, subject, SETTINGS, seed=0)
    assert isinstance(method, GradientMethod)
    found = method.attribution(images(1), target)
    image = images(1).requires_grad_()
    oracle = with_modified_relus(model, name)(image, subject.gate(image.detach())).logits
    (expected,) = torch.autograd.grad(oracle[0, 2], image)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5 * float(expected.abs().max()))


def of_plain_network(name: Method, network: ResNet, image: Tensor, target: Tensor) -> Tensor:
    """captum's own call; signed, and of its shape."""
    layer = network.layer4[-1]
    if name == "grad_cam":
        coarse = LayerGradCam(network, layer).attribute(image, target, relu_attributions=True)
        assert isinstance(coarse, Tensor)
        return LayerAttribution.interpolate(coarse, tuple(image.shape[2:]), "bilinear")
    if name == "guided_grad_cam":
        return GuidedGradCam(network, layer).attribute(image, target, interpolate_mode="bilinear")
    if name in ("integrated_gradients", "integrated_gradients_absolute"):
        return IntegratedGradients(network).attribute(image, 0.0, target, n_steps=SETTINGS.integration_steps)
    methods = {
        "saliency": Saliency,
        "input_x_gradient": InputXGradient,
        "input_x_gradient_absolute": InputXGradient,
        "guided_backprop": GuidedBackprop,
        "deconvolution": Deconvolution,
    }
    return methods[name](network).attribute(image, target)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "name",
    [
        "saliency",
        "input_x_gradient",
        "input_x_gradient_absolute",
        "integrated_gradients",
        "integrated_gradients_absolute",
        "guided_backprop",
        "deconvolution",
        "grad_cam",
        "guided_grad_cam",
    ],
)
def test_a_white_gate_is_as_the_plain_network(name: Method) -> None:
    model = classifier_like_a_trained_one("resnet18")
    plain = resnet18(num_classes=3).eval()
    plain.load_state_dict(model.classifier.state_dict())
    image, target = images(3, (64, 64)), torch.tensor([0, 1, 2])
    heatmap = make_method(name, ExplainedModel("white", model, model), SETTINGS, seed=0).heatmap(image, target)
    expected = of_plain_network(name, plain, image.clone().requires_grad_(), target).detach()
    expected = (expected if METHODS[name].signed else expected.abs()).sum(1, keepdim=True)
    torch.testing.assert_close(heatmap, expected, rtol=1e-3, atol=1e-5 * float(expected.max()))
    assert expected.max() > 0
