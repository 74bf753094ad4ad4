"""When a phase ends, what counts as best, and which schedule does what."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from distxml.config.guard import GuardSettings
from distxml.config.phases import PhaseName, PhaseSettings
from distxml.config.training import OptimizerSettings
from distxml.losses import class_weights
from distxml.training.learner import Schedule
from distxml.training.metrics import NOTHING_COUNTED, EpochSums, RunningMeans
from distxml.training.state import TrainState, own_loss

GUARD = GuardSettings()


def phase(**more: object) -> PhaseSettings:
    both = {"epochs": 5, "alpha": 0.5, "lr_classifier": 0.1, "lr_explainer": 0.1}
    return PhaseSettings.model_validate(both | more)


def metrics(total: float = 1.0, accuracy: float = 0.5, explanation: float = 0.5) -> dict[str, float]:
    figures = {"total": total, "accuracy": accuracy, "explanation": explanation, "classification": 0.5}
    return figures | {"black": 0.0, "white": 1.0}


def test_epoch_budget_ends_a_phase() -> None:
    state = TrainState()
    for _ in range(4):
        state.end_epoch(metrics(), phase(), GUARD, 3)
        assert state.ended is None
    state.end_epoch(metrics(), phase(), GUARD, 3)
    assert state.ended == "epoch budget" and (state.epoch, state.global_epoch, state.step) == (5, 5, 15)


def test_early_stopping_counts_small_improvements_as_none() -> None:
    state = TrainState()
    for loss in (1.0, 0.99995, 0.9999):
        state.end_epoch(metrics(loss), phase(patience=2, min_delta=1e-3), GUARD, 3)
    assert state.ended == "no better validation loss for 2 epochs"


def test_early_stopping_starts_anew_after_an_improvement() -> None:
    state = TrainState()
    for loss in (1.0, 1.1, 0.5, 0.6):
        state.end_epoch(metrics(loss), phase(patience=2), GUARD, 3)
    assert state.ended is None and state.stale_epochs == 1


@pytest.mark.parametrize(("training", "validation"), [(0.4, 0.9), (0.9, 0.4)])
def test_a_share_of_the_own_loss_ends_a_phase(training: float, validation: float) -> None:
    state = TrainState()
    settings = phase(lr_classifier=0.0, until=0.5)
    state.start(0.8, metrics())
    state.means.own_loss = training
    state.end_epoch(metrics(explanation=validation), settings, GUARD, 3)
    assert state.ended == "explanation loss fell to 50% of its start"


def test_inside_an_epoch_only_the_running_mean_counts() -> None:
    state = TrainState()
    state.start(0.8, metrics())
    assert state.reached_until(phase(lr_classifier=0.0, until=0.5)) is None
    state.means.own_loss = 0.39
    assert state.reached_until(phase(lr_classifier=0.0, until=0.5)) == "explanation loss fell to 49% of its start"
    assert state.reached_until(phase(lr_classifier=0.0)) is None


@given(st.lists(st.tuples(st.integers(1, 10), st.floats(0, 1)), min_size=1, max_size=30))
def test_running_means_weigh_steps_by_their_age(windows: list[tuple[int, float]]) -> None:
    """Against the definition: each step weighs 0.9 of the next, the start likewise."""
    means = RunningMeans(own_loss=0.7, black=0.0, white=1.0, difference=1.0)
    for steps, loss in windows:
        means.update(metrics(explanation=loss), "explanation", steps, NOTHING_COUNTED)
    every_step = [loss for steps, loss in windows for _ in range(steps)]
    expected = 0.7
    for loss in every_step:
        expected = 0.9 * expected + 0.1 * loss
    assert means.own_loss == pytest.approx(expected)


def test_a_step_back_keeps_epoch_numbers_apart() -> None:
    now = TrainState(phase=PhaseName.EXPLAINER, epoch=3, global_epoch=7, step=70, tries=1, rate_scale=0.5)
    older = TrainState(
        phase=PhaseName.EXPLAINER, epoch=2, global_epoch=6, step=60, step_in_epoch=4, counted=EpochSums(images=1.0)
    )
    back = now.take_back(older, steps=5)
    assert (back.epoch, back.global_epoch, back.step, back.step_in_epoch) == (2, 7, 75, 0)
    assert back.counted == NOTHING_COUNTED
    assert (back.tries, back.rate_scale) == (1, 0.5)
    same_epoch = TrainState(
        phase=PhaseName.EXPLAINER, epoch=3, global_epoch=7, step=70, step_in_epoch=4, counted=EpochSums(images=1.0)
    )
    back = now.take_back(same_epoch, steps=5)
    assert (back.global_epoch, back.step, back.step_in_epoch, back.counted) == (7, 70, 4, EpochSums(images=1.0))


def test_own_loss_is_that_of_the_network_that_learns() -> None:
    assert own_loss(phase(lr_explainer=0.0)) == "classification"
    assert own_loss(phase(lr_classifier=0.0)) == "explanation"
    assert own_loss(phase()) == "total"


def test_best_checkpoints_are_named() -> None:
    state = TrainState()
    assert state.end_epoch(metrics(1.0, 0.5), phase(), GUARD, 3) == ["best_loss", "best_accuracy"]
    assert state.end_epoch(metrics(0.9, 0.5), phase(), GUARD, 3) == ["best_loss"]
    assert state.end_epoch(metrics(1.0, 0.6), phase(), GUARD, 3) == ["best_accuracy"]
    assert state.end_epoch(metrics(1.0, 0.6), phase(), GUARD, 3) == []


def test_a_heatmap_that_is_hardly_alive_is_never_the_best() -> None:
    state = TrainState()
    dark = metrics(0.1) | {"black": 0.997}
    assert state.end_epoch(dark, phase(), GUARD, 3) == [] and state.best_loss is None
    same = metrics(0.1) | {"black": 0.9, "difference": 0.06}
    assert state.end_epoch(same, phase(), GUARD, 3) == []
    assert state.end_epoch(metrics(1.0), phase(), GUARD, 3) == ["best_loss", "best_accuracy"]
    frozen = TrainState().end_epoch(dark, phase(lr_explainer=0.0), GUARD, 3)
    assert frozen == ["best_loss", "best_accuracy"], "nobody trains that heatmap"


def test_schedules() -> None:
    def rates(losses: list[float], **more: object) -> list[float]:
        optimizer = torch.optim.SGD(nn.Linear(1, 1).parameters(), lr=0.1)
        schedule = Schedule(optimizer, phase(**more), OptimizerSettings(plateau_patience=1, min_lr=1e-5))
        seen: list[float] = []
        for loss in losses:
            seen.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            schedule.end_epoch(loss)
        return seen

    assert rates([1.0] * 3, schedule="constant") == [0.1] * 3
    assert rates([1.0] * 5, schedule="plateau") == pytest.approx([0.1, 0.1, 0.1, 0.02, 0.02])
    half = [1e-5 + (0.1 - 1e-5) * (1 + math.cos(math.pi * epoch / 5)) / 2 for epoch in range(5)]
    assert rates([1.0] * 5, schedule="cosine") == pytest.approx(half)


def test_a_phase_that_begins_anew_has_its_whole_schedule_again() -> None:
    optimizer = torch.optim.SGD(nn.Linear(1, 1).parameters(), lr=0.1)
    schedule = Schedule(optimizer, phase(schedule="cosine"), OptimizerSettings(min_lr=1e-5))
    for _ in range(3):
        optimizer.step()
        schedule.end_epoch(1.0)
    schedule.scale(0, 2.0)
    schedule.restart()
    seen: list[float] = []
    for _ in range(5):
        seen.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.end_epoch(1.0)
    half = [1e-5 + (0.2 - 1e-5) * (1 + math.cos(math.pi * epoch / 5)) / 2 for epoch in range(5)]
    assert seen == pytest.approx(half)


def test_balanced_class_weights() -> None:
    weights = class_weights("balanced", [3, 1])
    assert weights is not None
    assert weights.tolist() == pytest.approx([4 / 6, 2.0])
    assert class_weights(None, [1, 1]) is None
