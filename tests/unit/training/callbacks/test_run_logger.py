"""The run logger: what it sends and writes while training continues, is rolled back, and resumes."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from distxml.config import Recipe
from distxml.config.phases import PhaseName
from distxml.config.run_folder import RunFolder
from distxml.monitoring.event_queue import EventQueue
from distxml.monitoring.events import Event, GuardEvent, NoticeEvent, PhaseEndEvent, StepEvent
from distxml.monitoring.metrics_log import read_metrics
from distxml.monitoring.phase_figures import PhaseFigures
from distxml.training.callbacks import run_logger as logger_module
from distxml.training.callbacks.base import Callbacks
from distxml.training.callbacks.run_logger import RunLogger
from distxml.training.callbacks.step_meter import StepMeter
from distxml.training.state import TrainState
from tests.unit.training.callbacks.epochs import EPOCH_IMAGES, EPOCH_STEPS, a_step, an_epoch

CLASSIFIER, EXPLAINER, JOINT = PhaseName


@dataclass
class Arrived:
    """Stands where an event queue has its actor."""

    events: list[Event] = field(default_factory=list)

    @property
    def put(self) -> "Arrived":
        return self

    def remote(self, event: Event) -> None:
        self.events.append(event)


@pytest.fixture(autouse=True)
def every_step_is_due(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logger_module, "SECONDS_BETWEEN_STEP_EVENTS", 0)
    monkeypatch.setattr(logger_module, "SECONDS_BETWEEN_STEP_SCALARS", 0)


def recipe(folder: Path, epochs: tuple[int | None, ...] = (2, 3, 4)) -> Recipe:
    rates = ((0.1, 0), (0, 0.1), (0.1, 0.1))
    phases = {
        name: {"epochs": most, "alpha": 0.5, "lr_classifier": classifier, "lr_explainer": explainer, "patience": 3}
        for name, most, (classifier, explainer) in zip(PhaseName, epochs, rates, strict=True)
    }
    return Recipe.model_validate(
        {
            "dataset": {"path": str(folder / "data")},
            "loader": {"image_size": 8, "batch_size": 2},
            "model": {"classifier": "small_resnet", "width": 2, "explainer_width": 2},
            "phases": phases,
            "run": {"name": "run", "folder": str(folder), "gallery": 2},
        }
    )


def run_logger(settings: Recipe, arrived: Arrived, state: TrainState | None = None) -> RunLogger:
    run = RunFolder(settings.run_folder)
    run.path.mkdir(exist_ok=True)
    return RunLogger(
        recipe=settings,
        run=run,
        state=state or TrainState(),
        gallery=None,
        event_queue=EventQueue(arrived),
        check_still_ours=lambda: None,
    )


def make_steps(logger: RunLogger, state: TrainState, last: int) -> None:
    """Steps of an epoch from where the state says on to `last`."""
    callbacks = Callbacks((StepMeter(), logger))
    callbacks.on_epoch_start(an_epoch(state, logger.recipe))
    for number in range(state.step_in_epoch + 1, last + 1):
        callbacks.on_step(number, a_step(2.0 * number))


def steps_written(settings: Recipe) -> list[int]:
    board = EventAccumulator(str(RunFolder(settings.run_folder).tensorboard / "steps")).Reload()
    return [scalar.step for scalar in board.Scalars("step/gradient_norm")]


def test_a_step_tells_the_place_on_both_axes(tmp_path: Path) -> None:
    arrived = Arrived()
    logger = run_logger(recipe(tmp_path), arrived)
    make_steps(logger, TrainState(phase=EXPLAINER, epoch=1, global_epoch=3, step=15), 2)
    logger.tensorboard.close()
    event = arrived.events[-1]
    assert isinstance(event, StepEvent)
    assert (event.phase, event.epoch, event.epochs, event.step, event.global_step) == (PhaseName.EXPLAINER, 2, 3, 2, 17)
    assert event.gradient_norm == 3.0 and event.step_seconds > 0
    assert event.images_per_second == pytest.approx(EPOCH_IMAGES / EPOCH_STEPS / event.step_seconds)
    steps_left = (2 + 4) * EPOCH_STEPS - 2
    assert event.seconds_left == pytest.approx(steps_left * event.step_seconds)
    assert {"total", "black", "white", "sparsity"} <= event.terms.keys()
    assert steps_written(recipe(tmp_path)) == [16, 17]


@pytest.mark.parametrize(
    ("epochs", "phase", "known"),
    [
        ((None, 3, 4), CLASSIFIER, False),
        ((None, 3, 4), EXPLAINER, True),
        ((2, 3, None), CLASSIFIER, False),
        ((2, 3, None), JOINT, False),
    ],
)
def test_time_left_is_known_where_all_phases_to_come_have_a_budget(
    tmp_path: Path, epochs: tuple[int | None, ...], phase: PhaseName, known: bool
) -> None:
    arrived = Arrived()
    logger = run_logger(recipe(tmp_path, epochs), arrived)
    make_steps(logger, TrainState(phase=phase), 1)
    logger.tensorboard.close()
    (event,) = arrived.events
    assert isinstance(event, StepEvent)
    assert (event.seconds_left is not None) == known


def test_steps_come_no_faster_than_they_should(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logger_module, "SECONDS_BETWEEN_STEP_EVENTS", 3600)
    arrived = Arrived()
    logger = run_logger(recipe(tmp_path), arrived)
    make_steps(logger, TrainState(), 5)
    logger.tensorboard.close()
    assert arrived.events == []


def test_after_an_interruption_steps_go_on_where_the_checkpoint_was(tmp_path: Path) -> None:
    settings = recipe(tmp_path)
    first = run_logger(settings, Arrived())
    make_steps(first, TrainState(step=10, global_epoch=2), 4)  # steps 11 to 14; the checkpoint knows 12
    first.tensorboard.close()
    second = run_logger(settings, Arrived(), TrainState(global_epoch=2, step=10, step_in_epoch=2))
    make_steps(second, TrainState(step=10, global_epoch=2, step_in_epoch=2), 3)
    second.tensorboard.close()
    assert steps_written(settings) == [11, 12, 13]


def test_steps_that_the_guard_took_back_are_forgotten(tmp_path: Path) -> None:
    settings = recipe(tmp_path)
    logger = run_logger(settings, Arrived())
    make_steps(logger, TrainState(step=10, global_epoch=2), 4)
    make_steps(logger, TrainState(step=10, global_epoch=2, step_in_epoch=1), 2)
    logger.tensorboard.close()
    assert steps_written(settings) == [11, 12]


def test_all_but_steps_is_logged_sent_and_shown(tmp_path: Path) -> None:
    settings, arrived = recipe(tmp_path), Arrived()
    logger = run_logger(settings, arrived)
    figures = PhaseFigures(("no", "yes"), np.eye(2, dtype=np.int64), *(np.ones((2, 127), np.int64),) * 4)
    logger.on_notice(NoticeEvent(0, "hello"))
    logger.on_guard(GuardEvent(EXPLAINER, 1, 3, "black", "went back", 1, 0.05))
    logger.on_phase_end(PhaseEndEvent(EXPLAINER, 3, 5, "epoch budget"), figures)
    logger.on_end()
    run = RunFolder(settings.run_folder)
    assert [type(event) for event in arrived.events] == [NoticeEvent, GuardEvent, PhaseEndEvent]
    assert [line["event"] for line in read_metrics(run.metrics)] == ["notice", "guard", "phase_end"]
    tags = EventAccumulator(str(run.tensorboard)).Reload().Tags()
    assert {"notice/text_summary", "guard/explainer_try1/text_summary", "precision_recall/yes"} <= set(tags["tensors"])
    assert tags["images"] == ["confusion"] and tags["scalars"] == ["guard/tries"]
