"""What holds for every heatmap method, whatever f is."""

from typing import get_args

import pytest
import torch
from torch import nn

from distxml.attribution.explained_model import ExplainedModel
from distxml.attribution.methods import METHODS, make_method
from distxml.config.evaluation import Gating, Method
from tests.unit.attribution.subjects import (
    SETTINGS,
    classifier_like_a_trained_one,
    explained,
    images,
)
from tests.unit.evaluation.small_model import SIZE

TARGET = torch.tensor([0, 1])
EVERY_METHOD = pytest.mark.parametrize("name", METHODS.names())
EVERY_GATING = pytest.mark.parametrize("gating", get_args(Gating))


def require_heat(name: Method, heatmap: torch.Tensor, size: tuple[int, int], count: int) -> None:
    assert heatmap.shape == (count, 1, *size)
    assert heatmap.dtype == torch.float32
    assert heatmap.isfinite().all()
    assert bool((heatmap < 0).any()) == METHODS[name].signed
    assert not heatmap.requires_grad


def has_hooks(module: nn.Module) -> bool:
    return bool(module._forward_hooks or module._forward_pre_hooks or module._backward_hooks)


@EVERY_GATING
@EVERY_METHOD
def test_one_finite_value_per_pixel(name: Method, gating: Gating) -> None:
    image, target = images().repeat(2, 1, 1, 1), torch.tensor([0, 1, 1, 0])
    heatmap = make_method(name, explained(gating), SETTINGS, seed=0).heatmap(image, target)
    require_heat(name, heatmap, SIZE, 4)
    assert name == "random" or heatmap.max() > 0  # Grad-CAM may find nothing that speaks for a class


@pytest.mark.parametrize("classifier", ["small_resnet", "resnet18"])
@EVERY_METHOD
def test_every_classifier(name: Method, classifier: str) -> None:
    model = classifier_like_a_trained_one(classifier, size=32)
    method = make_method(name, ExplainedModel("recompute", model, model), SETTINGS, seed=0)
    require_heat(name, method.heatmap(images(1, (32, 64)), torch.tensor([2])), (32, 64), 1)


@EVERY_GATING
@EVERY_METHOD
def test_a_heatmap_does_not_depend_on_the_other_images_of_the_batch(name: Method, gating: Gating) -> None:
    method = make_method(name, explained(gating), SETTINGS, seed=0)
    together = method.heatmap(images(), TARGET)
    for index in range(2):
        alone = method.heatmap(images()[index : index + 1], TARGET[index : index + 1])
        torch.testing.assert_close(together[index : index + 1], alone, atol=1e-4 * float(alone.max()), rtol=1e-4)


@EVERY_GATING
@EVERY_METHOD
def test_the_model_is_as_it_was(name: Method, gating: Gating) -> None:
    subject = explained(gating)
    models = (subject.model, subject.explainer)
    before = [{key: value.clone() for key, value in model.state_dict().items()} for model in models]
    image = images()
    logits = subject.logits(image, subject.gate(image))
    method = make_method(name, subject, SETTINGS, seed=0)
    first, second = (method.heatmap(image, TARGET) for _ in range(2))
    assert torch.equal(first, second)
    assert torch.equal(image, images()) and not image.requires_grad
    for model, state in zip(models, before, strict=True):
        assert state.keys() == model.state_dict().keys()
        assert all(torch.equal(value, state[key]) for key, value in model.state_dict().items())
        assert all(parameter.grad is None for parameter in model.parameters())
        assert not any(module.training or has_hooks(module) for module in model.modules())
    assert torch.equal(subject.logits(image, subject.gate(image)), logits)


@pytest.mark.parametrize("name", ["in_model", "saliency", "guided_backprop", "grad_cam", "lrp"])
def test_frozen_models_and_images_of_inference_mode(name: Method) -> None:
    """As the evaluator has them."""
    subject = explained("recompute")
    expected = make_method(name, subject, SETTINGS, seed=0).heatmap(images(), TARGET)
    subject.model.requires_grad_(False)
    with torch.inference_mode():
        image = images()
    assert torch.equal(make_method(name, subject, SETTINGS, seed=0).heatmap(image, TARGET), expected)


@pytest.mark.parametrize("name", ["saliency", "guided_backprop", "guided_grad_cam", "lrp"])
def test_compiled_models_and_channels_last(name: Method) -> None:
    """Compiled code would run past the hooks that methods set, silently."""
    subject = explained("recompute")
    expected = make_method(name, subject, SETTINGS, seed=0).heatmap(images(), TARGET)
    subject.model.to(memory_format=torch.channels_last)
    subject.model.compile(backend="eager")
    subject.logits(images(), None)  # compiled here
    heatmap = make_method(name, subject, SETTINGS, seed=0).heatmap(images(), TARGET)
    torch.testing.assert_close(heatmap, expected, atol=1e-4 * float(expected.max()), rtol=1e-4)


@pytest.mark.parametrize("name", [entry.name for entry in METHODS if entry.seeded])
def test_what_is_drawn_depends_on_the_images_pixels_and_the_runs_seed_alone(name: Method) -> None:
    subject, image, target = explained("fixed"), images(1), torch.tensor([1])
    first = make_method(name, subject, SETTINGS, seed=3).heatmap(image, target)
    torch.rand(7)  # the process's own numbers
    assert torch.equal(make_method(name, subject, SETTINGS, seed=3).heatmap(image.clone(), target), first)
    assert not torch.equal(make_method(name, subject, SETTINGS, seed=4).heatmap(image, target), first)


def test_the_target_matters() -> None:
    subject = explained("white")
    for name in set(METHODS.names()) - {"in_model", "canny", "otsu", "center_distance", "random"}:
        method = make_method(name, subject, SETTINGS, seed=0)
        one, other = (method.heatmap(images(1), torch.tensor([target])) for target in (0, 1))
        assert not torch.allclose(one, other, rtol=1e-2), name


@EVERY_GATING
def test_in_model_is_the_explainers_heatmap(gating: Gating) -> None:
    subject = explained(gating)
    heatmap = make_method("in_model", subject, SETTINGS, seed=0).heatmap(images(), TARGET)
    torch.testing.assert_close(heatmap, subject.explainer(images()).heatmap.detach())
    assert 0.05 < heatmap.mean() < 0.95
