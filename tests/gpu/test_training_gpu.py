"""Training on a GPU: precision, agreement with the CPU, determinism, exact resume; skipped where there is no GPU."""

import os
from pathlib import Path

import pytest
import torch
from torch import Tensor

from distxml.config import Recipe
from distxml.config.phases import PhaseName
from distxml.training.compute import prepare, resolve_precision, set_determinism
from distxml.training.epoch import train_step
from distxml.training.learner import Learner
from distxml.training.trainer import Trainer
from tests.unit.training.small_training import STEPS_PER_EPOCH, events, small_recipe, small_trainer
from tests.unit.training.test_resume import train_until

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")

os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS reads it once, at its first work in this process
CPU, GPU = torch.device("cpu"), torch.device("cuda", 0)
EXACT = ("compute.deterministic=true", "run.checkpoint_steps=1")
CLASSIFIERS = ("small_resnet", "vgg", "resnet18")


def trainer_on(device: torch.device, recipe: Recipe) -> Trainer:
    set_determinism(recipe.compute)
    trainer = small_trainer(recipe)
    prepare(trainer.model, recipe.compute, device)
    return trainer


def trained(device: torch.device, folder: Path, *overrides: str) -> dict[str, Tensor]:
    """Weights after all three phases, on the CPU."""
    trainer = trainer_on(device, small_recipe(folder, *overrides))
    trainer.fit()
    return {name: value.cpu().clone() for name, value in trainer.model.state_dict().items()}


def largest_difference(ours: dict[str, Tensor], theirs: dict[str, Tensor]) -> float:
    return max(float((ours[name].double() - theirs[name].double()).abs().max()) for name in theirs)


def classifier(name: str) -> tuple[str, ...]:
    return (f"model.classifier={name}", *(() if name == "resnet18" else ("model.width=2",)))


def test_this_gpu_computes_in_bfloat16_and_the_log_knows_its_memory(tmp_path: Path) -> None:
    recipe = small_recipe(tmp_path, "run.name=auto")
    assert resolve_precision(recipe.compute, GPU) == "bfloat16"
    trainer = trainer_on(GPU, recipe)
    trainer.fit()
    assert all(value.dtype == torch.float32 for value in trainer.model.parameters())
    logged = events(recipe, "epoch")
    assert len(logged) == 6
    assert all(event["memory"]["gpu_mb"] > 0 for event in logged)


def test_float32_agrees_with_the_cpu_to_the_end(tmp_path: Path) -> None:
    settings = ("compute.precision=float32", "compute.deterministic=true")
    first = ("phases.classifier.epochs=1", "phases.explainer.epochs=1", "phases.joint.epochs=1")
    gpu = trained(GPU, tmp_path, *settings, *first, "run.name=gpu")
    cpu = trained(CPU, tmp_path, *settings, *first, "run.name=cpu")
    assert largest_difference(gpu, cpu) < 5e-3  # of rounding that 18 steps have carried on


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_one_float32_step_agrees_with_the_cpu(tmp_path: Path, name: str) -> None:
    """One step: over 18 of them a ResNet-18 on images of 16 pixels carries rounding on to 0.5 (seen on an H200)."""
    recipe = small_recipe(tmp_path, "compute.precision=float32", *classifier(name), "run.name=step")
    gradients = [gradients_of_a_step(device, recipe) for device in (CPU, GPU)]
    for cpu, gpu in zip(*gradients, strict=True):
        torch.testing.assert_close(gpu, cpu, atol=2e-3 * float(cpu.abs().max()) + 1e-6, rtol=0.02)


def gradients_of_a_step(device: torch.device, recipe: Recipe) -> list[Tensor]:
    trainer = trainer_on(device, recipe)
    learner = Learner.build(recipe, PhaseName.JOINT, trainer.model, None)
    train_step(learner, next(trainer.data.train.training(0)).to(device))
    return [parameter.grad.cpu() for parameter in trainer.model.parameters() if parameter.grad is not None]


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("name", CLASSIFIERS)
def test_two_runs_are_equal_to_the_bit(tmp_path: Path, name: str, precision: str) -> None:
    settings = (*EXACT, f"compute.precision={precision}", *classifier(name))
    one, two = (trained(GPU, tmp_path, *settings, f"run.name={number}") for number in ("one", "two"))
    assert all(torch.equal(one[key], two[key]) for key in one)


@pytest.mark.parametrize("phase", list(PhaseName))
def test_each_phase_resumes_to_the_bit(tmp_path: Path, phase: PhaseName, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = trained(GPU, tmp_path, *EXACT, "run.name=whole")
    recipe = small_recipe(tmp_path, *EXACT, "run.name=disturbed")
    steps = 2 * STEPS_PER_EPOCH * len(phase.earlier) + 9
    assert train_until(trainer_on(GPU, recipe), steps, monkeypatch)
    again = trainer_on(GPU, recipe)
    again.fit()
    (resumed,) = events(recipe, "resumed")
    assert resumed["phase"] == phase
    ours = again.model.state_dict()
    assert all(torch.equal(ours[key].cpu(), whole[key]) for key in whole)


@pytest.mark.parametrize("setting", ["compute.channels_last=false", "compute.micro_batch=2", "optimizer.name=adamw"])
def test_other_ways_to_compute_come_to_an_end(tmp_path: Path, setting: str) -> None:
    weights = trained(GPU, tmp_path, setting, "run.name=other")
    assert all(value.isfinite().all() for value in weights.values())


def test_compiled_agrees_with_plain(tmp_path: Path) -> None:
    torch.manual_seed(0)
    recipe = small_recipe(tmp_path, "compute.precision=float32", "compute.compile=true", "run.name=compiled")
    trainer = small_trainer(recipe)
    image = torch.rand(4, 3, 16, 16, device=GPU)
    model = trainer.model.to(GPU).eval()
    with torch.no_grad():
        plain = model(image)
        compiled = prepare(model, recipe.compute, GPU)(image)
    torch.testing.assert_close(compiled.logits, plain.logits, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(compiled.heatmap, plain.heatmap, atol=1e-4, rtol=1e-4)
