"""An interrupted run ends with bitwise the same weights as an undisturbed one, wherever it was interrupted."""

import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

from distxml.config import Recipe
from distxml.config.phases import PhaseName
from distxml.config.run_folder import RunFolder
from distxml.training.epoch import Step
from distxml.training.state import TrainState
from distxml.training.step_hooks import StepHook
from distxml.training.trainer import Trainer
from tests.unit.training.small_training import STEPS_PER_EPOCH, events, small_recipe, small_trainer

EPOCHS = 6
VARIANTS = {
    "sgd": ("run.checkpoint_steps=1",),
    "adamw, plateau": (
        "run.checkpoint_steps=2",
        "optimizer.name=adamw",
        "optimizer.plateau_patience=0",
        "phases.joint.schedule=plateau",
        "phases.joint.patience=3",
    ),
    "adadelta, best weights": (
        "run.checkpoint_steps=5",
        "optimizer.name=adadelta",
        "phases.explainer.start_from=best_loss",
        "phases.joint.start_from=best_loss",
    ),
    "vgg, micro-batches": ("run.checkpoint_steps=3", "model.classifier=vgg", "compute.micro_batch=3"),
    "epochs only": (),
}
GUARDED = {
    "guard at work": ("run.checkpoint_steps=4", "guard.white_steps=12", "guard.tries=9", "optimizer.name=adadelta"),
    "guard goes back": (
        "run.checkpoint_steps=4",
        "guard.factor=0.1",
        "guard.same_below=null",
        "optimizer.clip_norm=null",
        "phases.explainer.lr_explainer=0.5",
        "phases.explainer.alpha=0.0",
        "phases.explainer.epochs=12",
        "phases.joint.alpha=1.0",
    ),
}

ALL = VARIANTS | GUARDED


Undisturbed = Callable[[str], tuple[dict[str, Tensor], list[dict]]]
"""Final weights and logged figures of a whole run of a variant."""


class Killed(Exception):
    """Stands for whatever ends a process."""


def train_until(trainer: Trainer, steps: int, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Train; die after so many steps of this process. Whether it died."""
    made = 0

    def dying(hook: StepHook, number: int, step: Step) -> bool:
        nonlocal made
        made += 1
        if made > steps:
            raise Killed
        return after_step(hook, number, step)

    after_step = StepHook.after_step
    with monkeypatch.context() as patch:
        patch.setattr(StepHook, "after_step", dying)
        try:
            trainer.fit()
        except Killed:
            return True
    return False


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("resume")


@pytest.fixture(scope="module")
def undisturbed(folder: Path) -> Undisturbed:
    @cache
    def run(name: str) -> tuple[dict[str, Tensor], list[dict]]:
        recipe = small_recipe(folder, *ALL[name], f"run.name=whole {list(ALL).index(name)}")
        shutil.rmtree(recipe.run_folder, ignore_errors=True)
        trainer = small_trainer(recipe)
        trainer.fit()
        return dict(trainer.model.state_dict()), figures(recipe)

    return run


def steps_kept(trainer: Trainer) -> int:
    """Steps that need not be made again where it resumes."""
    found = trainer.resume_point.checkpoint
    state = trainer.checkpoints.state(found) if found else TrainState()
    return state.step + state.step_in_epoch


def figures(recipe: Recipe) -> list[dict]:
    return [
        {key: event[key] for key in ("train", "val", "lr_classifier", "lr_explainer", "global_epoch")}
        for event in events(recipe, "epoch")
    ]


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(list(ALL)), deaths=st.lists(st.integers(0, EPOCHS * STEPS_PER_EPOCH), max_size=3))
def test_resume_is_bitwise(folder, undisturbed, monkeypatch, name: str, deaths: list[int]) -> None:
    weights, log = undisturbed(name)
    recipe = small_recipe(folder, *ALL[name], "run.name=disturbed")
    shutil.rmtree(recipe.run_folder, ignore_errors=True)
    for steps in deaths:
        train_until(small_trainer(recipe), steps, monkeypatch)
    trainer = small_trainer(recipe)
    trainer.fit()
    ours = trainer.model.state_dict()
    assert all(torch.equal(ours[key], weights[key]) for key in weights)
    assert figures(recipe) == log


@pytest.mark.parametrize("name", list(VARIANTS))
def test_each_phase_resumes(folder, undisturbed, monkeypatch, name: str) -> None:
    """One run, which dies in the second epoch of every phase."""
    weights, log = undisturbed(name)
    recipe = small_recipe(folder, *VARIANTS[name], "run.name=phase")
    shutil.rmtree(recipe.run_folder, ignore_errors=True)
    for phase in PhaseName:
        trainer = small_trainer(recipe)
        steps = 2 * STEPS_PER_EPOCH * len(phase.earlier) + 9 - steps_kept(trainer)
        assert train_until(trainer, steps, monkeypatch)
    trainer = small_trainer(recipe)
    trainer.fit()
    assert [event["phase"] for event in events(recipe, "resumed")] == list(PhaseName)
    ours = trainer.model.state_dict()
    assert all(torch.equal(ours[key], weights[key]) for key in weights)
    assert figures(recipe) == log


def test_the_guard_is_at_work_in_one_of_them(folder, undisturbed) -> None:
    undisturbed("guard at work")
    raised = events(small_recipe(folder, *ALL["guard at work"], f"run.name=whole {len(VARIANTS)}"), "guard")
    assert raised and all("stays white" in event["reason"] for event in raised)
    assert [event["tries"] for event in raised] == list(range(1, len(raised) + 1))
    assert raised[0]["lr_explainer"] == pytest.approx(2 * 0.02)


def test_the_guard_goes_back_in_another(folder, undisturbed) -> None:
    undisturbed("guard goes back")
    acts = events(small_recipe(folder, *ALL["guard goes back"], f"run.name=whole {len(VARIANTS) + 1}"), "guard")
    assert acts and all("went back" in event["action"] for event in acts)


def test_a_damaged_checkpoint_is_skipped_for_the_one_before_it(folder, undisturbed, monkeypatch) -> None:
    weights, log = undisturbed("sgd")
    recipe = small_recipe(folder, *VARIANTS["sgd"], "run.name=damaged")
    assert train_until(small_trainer(recipe), 20, monkeypatch)
    last = RunFolder(recipe.run_folder).checkpoint(PhaseName.EXPLAINER, "last")
    whole = (last / "model.safetensors").read_bytes()
    (last / "model.safetensors").unlink()
    (last / "model.safetensors").write_bytes(whole[: len(whole) // 2])
    trainer = small_trainer(recipe)
    trainer.fit()
    (notice,) = [event["message"] for event in events(recipe, "notice") if "skipped" in event["message"]]
    assert f"skipped checkpoint {last}: model.safetensors is not what was written" in notice
    (resumed,) = events(recipe, "resumed")
    assert (resumed["phase"], resumed["step"]) == (PhaseName.EXPLAINER, 1)
    ours = trainer.model.state_dict()
    assert all(torch.equal(ours[key], weights[key]) for key in weights)
    assert figures(recipe) == log
