"""Heatmap methods on a GPU against the CPU; skipped where there is no GPU."""

from copy import deepcopy
from typing import get_args

import pytest
import torch

from distxml.attribution.explained_model import ExplainedModel
from distxml.attribution.methods import METHODS, make_method
from distxml.config.evaluation import Gating, Method
from tests.unit.attribution.subjects import SETTINGS, classifier_like_a_trained_one, explained, images

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")

GPU = torch.device("cuda", 0)
TARGET = torch.tensor([0, 1])
EVERY_METHOD = pytest.mark.parametrize("name", METHODS.names())


@pytest.fixture(autouse=True)
def float32(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the evaluator computes: convolutions without TF32 (matrix products have none unless asked)."""
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)


def require_agreement(
    name: Method, subject: ExplainedModel, image: torch.Tensor, target: torch.Tensor, share: float = 2e-3
) -> None:
    """Up to rounding, which may switch a ReLU here and there: to this share of the mean heat, in the mean over the
    pixels."""
    cpu = make_method(name, subject, SETTINGS, seed=0).heatmap(image, target)
    model = deepcopy(subject.model).to(GPU)
    explainer = model if subject.explainer is subject.model else deepcopy(subject.explainer).to(GPU)
    gpu = make_method(name, ExplainedModel(subject.gating, model, explainer), SETTINGS, seed=0).heatmap(
        image.to(GPU), target.to(GPU)
    )
    assert gpu.device == GPU and gpu.dtype == torch.float32 and not gpu.requires_grad
    assert gpu.isfinite().all() and (METHODS[name].signed or (gpu >= 0).all())
    assert (gpu.cpu() - cpu).abs().mean() <= share * cpu.abs().mean()


@pytest.mark.parametrize("gating", get_args(Gating))
@EVERY_METHOD
def test_every_gating_agrees(name: Method, gating: Gating) -> None:
    require_agreement(name, explained(gating), images(), TARGET)


@pytest.mark.parametrize("classifier", ["small_resnet", "resnet18", "resnet50"])
@EVERY_METHOD
def test_every_classifier_agrees(name: Method, classifier: str) -> None:
    model = classifier_like_a_trained_one(classifier)
    share = (
        0.06 if classifier == "resnet50" else 2e-3
    )  # an H200 was 2.1% to 3.2% off on gradients through its 50 layers
    require_agreement(name, ExplainedModel("recompute", model, model), images(2, (64, 64)), TARGET, share)


@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("classifier", ["vgg", "small_resnet", "resnet18", "resnet50"])
def test_relevance_is_conserved(classifier: str, channels_last: bool) -> None:
    model = classifier_like_a_trained_one(classifier).to(GPU)
    if channels_last:
        model.to(memory_format=torch.channels_last)
    subject, image = ExplainedModel("recompute", model, model), images(1, (64, 64)).to(GPU)
    logits = subject.logits(image, None).detach()
    target = logits.abs().argmax(1)
    heatmap = make_method("lrp", subject, SETTINGS, seed=0).heatmap(image, target)
    assert heatmap.sum().item() == pytest.approx(logits[0, target].abs().item(), rel=0.01)
