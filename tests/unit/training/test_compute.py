"""Precision, layout and determinism on this machine's CPU."""

import os
import subprocess
import sys
from contextlib import nullcontext
from typing import Literal

import pytest
import torch
from torch import Tensor, nn

from distxml.config.compute import ComputeSettings
from distxml.config.model import ModelSettings
from distxml.models.joint import JointModel, JointOutput
from distxml.training.compute import autocast, fused_where_possible, prepare, resolve_precision, set_determinism

CPU = torch.device("cpu")
BFLOAT16 = ComputeSettings(precision="bfloat16")


def model(classifier: str, width: int = 8) -> JointModel:
    """With a heatmap that is neither black nor white."""
    torch.manual_seed(0)
    joint = JointModel(ModelSettings(classifier=classifier, width=width, explainer_width=8), classes=2)
    nn.init.constant_(joint.explainer.normalize.bias, 0.5)
    return joint


def test_precision_by_device() -> None:
    assert resolve_precision(ComputeSettings(), CPU) == "float32"
    assert resolve_precision(BFLOAT16, CPU) == "bfloat16"
    assert resolve_precision(ComputeSettings(precision="float32"), torch.device("cuda")) == "float32"
    assert isinstance(autocast(ComputeSettings(), CPU), nullcontext)
    with autocast(BFLOAT16, CPU):
        assert (torch.rand(2, 2) @ torch.rand(2, 2)).dtype == torch.bfloat16


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("classifier", ["vgg", "small_resnet", "resnet18"])
def test_outputs_are_float32_under_autocast_and_near(classifier: str, training: bool) -> None:
    joint, image = model(classifier).train(training), torch.rand(4, 3, 32, 32)
    joint.classifier.eval()  # BatchNorm over four images makes differences of rounding large
    with torch.no_grad():
        plain = joint(image)
        with autocast(BFLOAT16, CPU):
            rounded: JointOutput = joint(image)
    assert rounded.heatmap.dtype == rounded.logits.dtype == torch.float32
    assert not torch.equal(rounded.heatmap, plain.heatmap)  # bfloat16 was at work
    torch.testing.assert_close(rounded.heatmap, plain.heatmap, atol=0.05, rtol=0)
    torch.testing.assert_close(rounded.logits, plain.logits, atol=0.1, rtol=0.05)


def test_the_heatmap_is_not_rounded_to_bfloat16() -> None:
    joint = model("vgg").eval()
    nn.init.constant_(joint.explainer.normalize.running_var, 100.0)  # type: ignore[arg-type]
    with torch.no_grad(), autocast(BFLOAT16, CPU):
        heatmap = joint(torch.rand(1, 3, 32, 32)).heatmap
    assert not torch.equal(heatmap, heatmap.bfloat16().float())
    assert len(heatmap.unique()) > 500  # of 1024 pixels, within a range that bfloat16 cuts into a few steps


def test_gradients_of_weights_are_float32_under_autocast() -> None:
    joint = model("small_resnet")
    with autocast(BFLOAT16, CPU):
        out = joint(torch.rand(4, 3, 32, 32))
    (out.logits.square().mean() + out.heatmap.mean()).backward()
    gradients = [parameter.grad for parameter in joint.parameters()]
    assert all(g is not None and g.dtype == torch.float32 and g.isfinite().all() for g in gradients)


def is_channels_last(network: nn.Module) -> bool:
    wide = [p for p in network.parameters() if p.ndim == 4 and p.shape[1] > 1 and p.shape[2] > 1]
    return all(p.is_contiguous(memory_format=torch.channels_last) for p in wide)


@pytest.mark.parametrize("classifier", ["vgg", "small_resnet", "resnet18"])
def test_layout(classifier: str) -> None:
    joint = prepare(model(classifier), ComputeSettings(), CPU)
    assert is_channels_last(joint.explainer) and is_channels_last(joint.classifier)
    plain = prepare(model(classifier), ComputeSettings(channels_last=False), CPU)
    assert not is_channels_last(plain.explainer) and not is_channels_last(plain.classifier)
    assert joint.state_dict().keys() == plain.state_dict().keys()
    image = torch.rand(2, 3, 32, 32)
    torch.testing.assert_close(joint.eval()(image).logits, plain.eval()(image).logits, atol=1e-4, rtol=1e-4)


@pytest.mark.slow
def test_layout_leaves_gradients_and_memory_alone() -> None:
    """In a process of its own: narrow convolutions of stride 2 in this layout write past their memory."""
    code = """
import torch
from tests.unit.training.test_compute import compare_layouts
torch.set_num_threads(1)
for width in (1, 4, 5, 8):
    compare_layouts("small_resnet", width)
    compare_layouts("vgg", width)
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


def compare_layouts(classifier: str, width: int) -> None:
    """Gradients in both layouts, many times over, with small blocks of memory in between."""
    image, heatmap = torch.rand(8, 3, 48, 48), torch.rand(8, 1, 48, 48)
    laid_out = model(classifier, width).eval(), prepare(model(classifier, width), ComputeSettings(), CPU).eval()
    blocks: list[Tensor] = []
    for _ in range(10):
        for joint in laid_out:
            joint.zero_grad()
            joint(image, heatmap).logits.square().sum().backward()
        blocks = [torch.rand(size) for size in range(1, 40)]
    assert blocks
    for (name, one), other in zip(
        laid_out[0].classifier.named_parameters(), laid_out[1].classifier.parameters(), strict=True
    ):
        assert one.grad is not None and other.grad is not None
        scale = float(one.grad.abs().max())
        torch.testing.assert_close(other.grad, one.grad, atol=1e-3 * scale + 1e-6, rtol=1e-3, msg=name)


@pytest.mark.slow
def test_determinism_is_switched_on_and_off() -> None:
    code = """
import os, torch
from distxml.config.compute import ComputeSettings
from distxml.training.compute import set_determinism
set_determinism(ComputeSettings())
print(torch.are_deterministic_algorithms_enabled(), "CUBLAS_WORKSPACE_CONFIG" in os.environ)
set_determinism(ComputeSettings(deterministic=True, precision="float32"))
print(torch.are_deterministic_algorithms_enabled(), os.environ["CUBLAS_WORKSPACE_CONFIG"])
print(torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic, torch.backends.cudnn.allow_tf32)
"""
    untouched = dict(os.environ)
    untouched.pop("CUBLAS_WORKSPACE_CONFIG", None)  # tests/gpu sets it for this whole process
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=untouched)
    assert run.stdout.split("\n")[:3] == ["False False", "True :4096:8", "False True False"]


def test_every_classifier_trains_deterministically_at_any_size() -> None:
    """torch raises where an operation has no deterministic form; 44 is no whole multiple of all resolutions."""
    try:
        set_determinism(ComputeSettings(deterministic=True))
        for classifier in ("vgg", "small_resnet", "resnet18"):
            out = model(classifier)(torch.rand(2, 3, 44, 44))
            (out.logits.sum() + out.heatmap.sum()).backward()
    finally:
        set_determinism(ComputeSettings())


@pytest.mark.parametrize("name", ["sgd", "adamw", "adadelta"])
def test_fused_optimizers_repeat_resume_and_equal_the_plain_ones(name: Literal["sgd", "adamw", "adadelta"]) -> None:
    kind = {"sgd": torch.optim.SGD, "adamw": torch.optim.AdamW, "adadelta": torch.optim.Adadelta}[name]
    momentum: dict[str, float] = {"momentum": 0.9} if name == "sgd" else {}

    def weights(steps_before_resuming: int, fused: bool | None) -> list[Tensor]:
        how = {} if name == "adadelta" else {"fused": fused}
        network = model("small_resnet").classifier
        optimizer = kind(network.parameters(), lr=0.01, weight_decay=0.1, **momentum, **how)  # type: ignore[arg-type]
        random = torch.Generator().manual_seed(1)
        for step in range(6):
            if step == steps_before_resuming:
                state = optimizer.state_dict()
                optimizer = kind(network.parameters(), lr=1.0, **how)  # type: ignore[arg-type]
                optimizer.load_state_dict(state)
            for parameter in network.parameters():
                parameter.grad = torch.randn(parameter.shape, generator=random)
            optimizer.step()
        return [parameter.detach() for parameter in network.parameters()]

    fused = fused_where_possible(name, CPU)
    assert fused is (None if name == "adadelta" else True)
    whole, again, resumed, plain = weights(9, fused), weights(9, fused), weights(3, fused), weights(9, None)
    for one, same, after, oracle in zip(whole, again, resumed, plain, strict=True):
        assert torch.equal(one, same) and torch.equal(one, after)
        torch.testing.assert_close(one, oracle, atol=1e-6, rtol=1e-5)
