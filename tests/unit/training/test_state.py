"""When a phase ends, what counts as best, and which schedule does what."""

import math

import pytest
import torch
from torch import nn

from distxml.config.training import OptimizerSettings, PhaseSettings
from distxml.training.phases import Schedule, class_weights
from distxml.training.state import TrainState, own_loss


def phase(**more: object) -> PhaseSettings:
    both = {"epochs": 5, "alpha": 0.5, "lr_classifier": 0.1, "lr_explainer": 0.1}
    return PhaseSettings.model_validate(both | more)


def metrics(total: float = 1.0, accuracy: float = 0.5, explanation: float = 0.5) -> dict[str, float]:
    return {"total": total, "accuracy": accuracy, "explanation": explanation, "classification": 0.5}


def test_epoch_budget_ends_a_phase() -> None:
    state = TrainState()
    for _ in range(4):
        state.end_epoch(metrics(), metrics(), phase())
        assert state.ended is None
    state.end_epoch(metrics(), metrics(), phase())
    assert state.ended == "epoch budget" and state.epoch == 5


def test_early_stopping_counts_small_improvements_as_none() -> None:
    state = TrainState()
    for loss in (1.0, 0.99995, 0.9999):
        state.end_epoch(metrics(), metrics(loss), phase(patience=2, min_delta=1e-3))
    assert state.ended == "no better validation loss for 2 epochs"


def test_early_stopping_starts_anew_after_an_improvement() -> None:
    state = TrainState()
    for loss in (1.0, 1.1, 0.5, 0.6):
        state.end_epoch(metrics(), metrics(loss), phase(patience=2))
    assert state.ended is None and state.stale_epochs == 1


@pytest.mark.parametrize(("training", "validation"), [(0.4, 0.9), (0.9, 0.4)])
def test_a_share_of_the_own_loss_ends_a_phase(training: float, validation: float) -> None:
    state = TrainState(start_loss=0.8)
    settings = phase(lr_classifier=0.0, stop_at_share=0.5)
    state.end_epoch(metrics(explanation=training), metrics(explanation=validation), settings)
    assert state.ended == "explanation loss fell to 50% of its start"


def test_own_loss_is_that_of_the_network_that_learns() -> None:
    assert own_loss(phase(lr_explainer=0.0)) == "classification"
    assert own_loss(phase(lr_classifier=0.0)) == "explanation"
    assert own_loss(phase()) == "total"


def test_best_checkpoints_are_named() -> None:
    state = TrainState()
    assert state.end_epoch(metrics(), metrics(1.0, 0.5), phase()) == ["best_loss", "best_accuracy"]
    assert state.end_epoch(metrics(), metrics(0.9, 0.5), phase()) == ["best_loss"]
    assert state.end_epoch(metrics(), metrics(1.0, 0.6), phase()) == ["best_accuracy"]
    assert state.end_epoch(metrics(), metrics(1.0, 0.6), phase()) == []


def test_schedules() -> None:
    def rates(losses: list[float], **more: object) -> list[float]:
        optimizer = torch.optim.SGD(nn.Linear(1, 1).parameters(), lr=0.1)
        schedule = Schedule(optimizer, phase(**more), OptimizerSettings(plateau_patience=1, min_lr=1e-5))
        seen: list[float] = []
        for loss in losses:
            seen.append(optimizer.param_groups[0]["lr"])
            schedule.end_epoch(loss)
        return seen

    assert rates([1.0] * 3, schedule="constant") == [0.1] * 3
    assert rates([1.0] * 5, schedule="plateau") == pytest.approx([0.1, 0.1, 0.1, 0.02, 0.02])
    half = [1e-5 + (0.1 - 1e-5) * (1 + math.cos(math.pi * epoch / 5)) / 2 for epoch in range(5)]
    assert rates([1.0] * 5, schedule="cosine") == pytest.approx(half)


def test_balanced_class_weights() -> None:
    weights = class_weights("balanced", [3, 1])
    assert weights is not None
    assert weights.tolist() == pytest.approx([4 / 6, 2.0])
    assert class_weights(None, [1, 1]) is None
