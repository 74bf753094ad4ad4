"""LRP: against dense matrices, and relevance that is neither lost nor made on its way."""

import math
from typing import Any, get_args

import pytest
import torch
from torch import Tensor, nn
from torchvision.models import resnet18

from distxml.attribution.explained_model import ExplainedModel
from distxml.attribution.lrp import RelevancePropagation, canonical
from distxml.config.evaluation import Gating
from distxml.models.joint import JointModel
from distxml.models.small_resnet import SmallResNet
from distxml.models.vgg import VGG
from tests.oracles.relevance import relevance_of_small_resnet, relevance_of_vgg
from tests.unit.attribution.subjects import classifier_like_a_trained_one, images

EVERY_GATING = pytest.mark.parametrize("gating", get_args(Gating))
CLASSIFIERS: list[tuple[str, dict[str, Any]]] = [
    ("vgg", {}),
    ("small_resnet", {}),
    ("small_resnet", {"sync_batchnorm": True}),
    ("resnet18", {"gates": "block"}),
    ("resnet18", {"gates": "stage"}),
    ("resnet50", {"gates": "block"}),
    ("resnet50", {"gates": "stage", "normalization": "imagenet"}),
]
EVERY_CLASSIFIER = pytest.mark.parametrize(("name", "settings"), CLASSIFIERS)


def propagation(gating: Gating, model: JointModel) -> RelevancePropagation:
    return RelevancePropagation(ExplainedModel(gating, model, model))


def require_close(found: Tensor, expected: Tensor, tolerance: float = 1e-5) -> None:
    assert expected.abs().max() > 0
    torch.testing.assert_close(found, expected, rtol=0, atol=tolerance * float(expected.abs().max()))


@EVERY_GATING
@pytest.mark.parametrize("name", ["small_resnet", "vgg"])
def test_against_dense_matrices(name: str, gating: Gating) -> None:
    """All layers, residual sums and gates, under a heatmap that is black in places, where relevance is lost."""
    model = classifier_like_a_trained_one(name, size=16, width=2, normalization="imagenet").double()
    nn.init.zeros_(model.explainer.normalize.bias)
    image, target = images(1, (16, 16)).double(), 1
    found = propagation(gating, model).relevance(image, torch.tensor([target]))
    heatmap = torch.ones_like(image[:, :1]) if gating == "white" else model(image).heatmap
    with torch.no_grad():
        normalized = ((image - model.mean) / model.std)[0]
        if isinstance(model.classifier, SmallResNet):
            expected = relevance_of_small_resnet(model.classifier, normalized, heatmap[0], target)
        else:
            assert isinstance(model.classifier, VGG)
            expected = relevance_of_vgg(model.classifier, normalized, heatmap[0], target)
    require_close(found[0], expected)
    assert gating == "white" or 0.3 < (heatmap == 0).double().mean() < 0.7


@EVERY_GATING
@EVERY_CLASSIFIER
def test_relevance_sums_up_to_the_logit_and_has_its_sign(name: str, settings: dict[str, Any], gating: Gating) -> None:
    model = classifier_like_a_trained_one(name, **settings)
    subject, image = ExplainedModel(gating, model, model), images(1, (32, 64))
    logits = subject.logits(image, subject.gate(image)).detach()
    target = logits.abs().argmax(1)
    relevance = RelevancePropagation(subject).relevance(image, target)
    torch.testing.assert_close(relevance.sum((1, 2, 3)), logits[0, target], rtol=0.01, atol=0)
    assert (relevance * logits[0, target].sign() >= 0).all()


@EVERY_GATING
@pytest.mark.parametrize("name", ["vgg", "small_resnet"])
def test_the_heatmap_sums_up_to_the_logits_size(name: str, gating: Gating) -> None:
    model = classifier_like_a_trained_one(name)
    subject, image = ExplainedModel(gating, model, model), images(1, (64, 64))
    logits = subject.logits(image, subject.gate(image)).detach()
    target = logits.abs().argmax(1)
    method = RelevancePropagation(subject)
    heatmap = method.heatmap(image, target)
    torch.testing.assert_close(heatmap.sum((1, 2, 3)), logits[0, target].abs(), rtol=0.01, atol=0)
    assert torch.equal(heatmap, method.relevance(image, target).abs().sum(1, keepdim=True))


@EVERY_CLASSIFIER
def test_what_is_propagated_through_computes_the_same(name: str, settings: dict[str, Any]) -> None:
    model = classifier_like_a_trained_one(name, **settings)
    image, heatmap = images(2, (64, 64)), images(2, (64, 64))[:, 1:2]
    found = canonical(model.classifier)(image, heatmap)
    torch.testing.assert_close(found, model.classifier(image, heatmap), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("gates", ["block", "stage"])
def test_a_white_gate_is_as_the_plain_network(gates: str) -> None:
    model = classifier_like_a_trained_one("resnet18", gates=gates)
    plain = resnet18(num_classes=3).eval()
    plain.load_state_dict(model.classifier.state_dict())
    image, target = images(1, (64, 64)), torch.tensor([2])
    without_gates = propagation("white", model)
    without_gates.classifier = Ungated(canonical(plain))
    require_close(propagation("white", model).relevance(image, target), without_gates.relevance(image, target))


class Ungated(nn.Module):
    """A plain network with a second input that it does not look at."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor, heatmap: Tensor) -> Tensor:
        return self.network(image)


def under(heat: float, model: JointModel) -> JointModel:
    """With an explainer whose heatmap is `heat` everywhere."""
    nn.init.zeros_(model.explainer.normalize.weight)
    nn.init.constant_(model.explainer.normalize.bias, math.atanh(heat))
    return model


@pytest.mark.parametrize("heat", [0.5, 0.1, 0.01])
def test_a_dark_heatmap_does_not_swallow_relevance(heat: float) -> None:
    """Without biases all that is lost is lost by rounding, also where nine gates divide the features by 100 each."""
    model = under(heat, classifier_like_a_trained_one("resnet18"))
    for module in model.classifier.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.zeros_(module.bias)
            module.running_mean.zero_()  # pyright: ignore[reportOptionalMemberAccess]
    subject, image, target = ExplainedModel("fixed", model, model), images(1, (64, 64)), torch.tensor([0])
    assert subject.heatmap(image).mean().item() == pytest.approx(heat, rel=1e-3)
    logit = subject.logits(image, subject.gate(image))[0, 0].item()
    relevance = RelevancePropagation(subject).relevance(image, target)
    assert logit != 0
    assert relevance.sum().item() == pytest.approx(logit, rel=0.01, abs=0)


def test_a_black_heatmap_leaves_no_relevance() -> None:
    model = under(0.0, classifier_like_a_trained_one("resnet18"))
    relevance = propagation("recompute", model).relevance(images(1, (64, 64)), torch.tensor([0]))
    assert relevance.unique().tolist() == [0]
