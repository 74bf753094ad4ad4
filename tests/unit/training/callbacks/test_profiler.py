"""The profile: which steps a trace holds, and when there is none."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from distxml.config.phases import PhaseName
from distxml.config.run_folder import RunFolder
from distxml.training.callbacks.profiler import WAIT_STEPS, WARM_UP_STEPS, Profiler
from distxml.training.state import TrainState
from tests.unit.training.callbacks.epochs import A_STEP, an_epoch
from tests.unit.training.small_training import SHORT, small_recipe, small_trainer
from tests.unit.training.test_resume import train_until

FIRST = WAIT_STEPS + WARM_UP_STEPS


def traced(folder: Path, asked: int, made: int, state: TrainState) -> list[list[dict[str, Any]]]:
    """The events of every trace that an epoch of `made` steps left."""
    profiler = Profiler(folder, asked)
    profiler.on_epoch_start(an_epoch(state))
    for number in range(made):
        torch.mm(torch.ones(3 + number, 3), torch.ones(3, 3))
        profiler.on_step(number + 1, A_STEP)
    profiler.on_last_step()
    return [
        json.loads(path.read_text())["traceEvents"] for path in sorted((folder / "profile/explainer").glob("*.json"))
    ]


def steps_in(events: list[dict[str, Any]]) -> list[int]:
    names = {event["name"] for event in events if str(event.get("name", "")).startswith("ProfilerStep#")}
    return sorted(int(name.partition("#")[2]) for name in names)


@pytest.mark.parametrize(("asked", "made"), [(2, 12), (1, 6), (4, 8)])
def test_a_trace_holds_the_steps_after_the_warm_up(tmp_path: Path, asked: int, made: int) -> None:
    (events,) = traced(tmp_path, asked, made, TrainState(phase=PhaseName.EXPLAINER))
    # When the block ends early, the trace ends with the step that was never made.
    assert steps_in(events) == list(range(FIRST, FIRST + asked))[: made - FIRST + 1]
    products = [event for event in events if event.get("name") == "aten::mm"]
    assert len(products) == min(asked, made - FIRST) and all(event["dur"] > 0 for event in products)


@pytest.mark.parametrize("made", [0, 2])
def test_no_trace_where_steps_are_too_few(tmp_path: Path, made: int) -> None:
    assert traced(tmp_path, 3, made, TrainState(phase=PhaseName.EXPLAINER)) == []


@pytest.mark.parametrize(
    "state", [TrainState(phase=PhaseName.EXPLAINER, epoch=1), TrainState(phase=PhaseName.EXPLAINER, step_in_epoch=1)]
)
def test_only_the_first_epoch_of_a_phase_is_profiled(tmp_path: Path, state: TrainState) -> None:
    assert traced(tmp_path, 2, 12, state) == []


def test_a_run_profiles_each_phase_where_it_is_asked_to(tmp_path: Path) -> None:
    recipe = small_recipe(tmp_path, *SHORT, "run.profile=1")
    small_trainer(recipe).fit()
    profiles = RunFolder(recipe.run_folder).tensorboard / "profile"
    assert [len(list(phase.glob("*.pt.trace.json"))) for phase in sorted(profiles.iterdir())] == [1, 1, 1]


def test_a_trace_is_written_where_a_step_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = small_recipe(tmp_path, "run.profile=1")
    assert train_until(small_trainer(recipe), FIRST, monkeypatch)
    assert len(list((RunFolder(recipe.run_folder).tensorboard / "profile").rglob("*.pt.trace.json"))) == 1


def test_a_run_has_no_profile_where_none_is_asked_for(tmp_path: Path) -> None:
    names = [type(callback).__name__ for callback in small_trainer(small_recipe(tmp_path)).callbacks.members]
    assert names == ["StepMeter", "PeakMemory", "QuickScoring", "RunLogger"]
