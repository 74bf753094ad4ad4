"""The first rank's pen: everything that it writes down or sends to the terminal while it trains."""

import json
import time
from datetime import UTC, datetime
from typing import Protocol

import torch

from distxml.config import Recipe
from distxml.config.run_folder import RunFolder
from distxml.data.batch import Batch
from distxml.data.loader import Loader
from distxml.data.rows import collate, decode
from distxml.data.subsets import balanced_sample
from distxml.monitoring.confusion import PhaseFigures
from distxml.monitoring.events import EpochEvent, Event, GuardEvent, NoticeEvent, PhaseEndEvent, ResumedEvent, StepEvent
from distxml.monitoring.metrics_log import MetricsLog
from distxml.monitoring.tensorboard import TensorBoard
from distxml.training.metrics import EpochMetrics
from distxml.training.phase import Learner
from distxml.training.speed import StepMeter
from distxml.training.state import TrainState

SECONDS_BETWEEN_STEP_EVENTS = 0.5
SECONDS_BETWEEN_STEP_SCALARS = 1.0
POINTS_PER_LINE = 1000
"""TensorBoard draws no more; in a long run the scalars of steps come less often."""


class Receiver(Protocol):
    """What events are sent to: the event queue."""

    def put(self, event: Event) -> None: ...


class RunLogger:
    """Writes metrics.jsonl and TensorBoard, and sends events to the driver."""

    def __init__(self, run: RunFolder, recipe: Recipe, val: Loader, event_queue: Receiver, state: TrainState) -> None:
        """
        Args:
            run: where to write.
            recipe: of the run.
            val: gives the gallery's images.
            event_queue: the driver's.
            state: where training goes on; what was written of later epochs and steps is forgotten.
        """
        self.recipe = recipe
        self.event_queue = event_queue
        self.log = MetricsLog(run.metrics)
        self.log.forget_after(state.global_epoch, state.phase, state.tries)
        self._seen_epoch, self._seen_step = state.global_epoch, state.step + state.step_in_epoch
        self.tensorboard = TensorBoard(run.tensorboard, self._seen_epoch, self._seen_step)
        self.tensorboard.write_settings(recipe)
        self.gallery = _gallery(val, recipe.run.gallery)
        self._state, self._steps, self._images, self._meter = state, 1, 0.0, StepMeter()
        self._began = self._started = self._last_event = self._last_scalars = time.monotonic()

    def resume(self, event: ResumedEvent) -> None:
        """Training goes on from a checkpoint."""
        self.log.write(event)
        self.event_queue.put(event)

    def start_epoch(self, state: TrainState, steps: int, images: int, meter: StepMeter) -> None:
        """An epoch of `steps` steps over `images` images begins, and the meter with it; an earlier one than the last if
        training rolled back."""
        step = state.step + state.step_in_epoch
        if state.global_epoch < self._seen_epoch or step < self._seen_step:
            self.tensorboard.rewind(state.global_epoch, step)
        self._seen_epoch, self._seen_step = state.global_epoch, step
        self._state, self._steps, self._images, self._meter = state, steps, images / steps, meter
        self._started = time.monotonic()

    def clock(self) -> float:
        """Seconds since the epoch began."""
        return time.monotonic() - self._started

    def step(self, number: int, metrics: EpochMetrics) -> None:
        """Step `number` of the epoch is done, and the meter knows it; says so now and then."""
        self._seen_step = self._state.step + number
        now = time.monotonic()
        if now - self._last_event < SECONDS_BETWEEN_STEP_EVENTS:
            return
        self._last_event = now
        event = self._step_event(number, metrics)
        self.event_queue.put(event)
        if now - self._last_scalars >= max(SECONDS_BETWEEN_STEP_SCALARS, (now - self._began) / POINTS_PER_LINE):
            self._last_scalars = now
            self.tensorboard.write_step(event)

    def _step_event(self, number: int, metrics: EpochMetrics) -> StepEvent:
        meter, left = self._meter, self._steps_left(number)
        return StepEvent(
            phase=self._state.phase,
            epoch=self._state.epoch + 1,
            epochs=self.recipe.phases[self._state.phase - 1].epochs,
            step=number,
            steps=self._steps,
            global_step=self._state.step + number,
            terms=metrics.compute_on_this_rank(),
            images_per_second=meter.per_second(self._images),
            data_wait=meter.data_wait,
            step_seconds=meter.step_seconds,
            gradient_norm=meter.gradient_norm,
            seconds_left=None if left is None else meter.step_seconds * left,
        )

    def end_epoch(self, event: EpochEvent, learner: Learner) -> None:
        """An epoch is over, the model in eval mode."""
        self._seen_epoch = event.global_epoch
        self.log.write(event)
        self.tensorboard.write_epoch(event)
        self.event_queue.put(event)
        if self.gallery is not None:
            with torch.no_grad():
                output = learner.forward(learner.model, self.gallery.to(learner.device))
            self.tensorboard.write_gallery(self.gallery, output, event.global_epoch)

    def end_phase(self, event: PhaseEndEvent, figures: PhaseFigures | None) -> None:
        """A phase is over."""
        self.log.write(event)
        self.tensorboard.write_phase_end(event, figures)
        self.event_queue.put(event)

    def guard(self, event: GuardEvent) -> None:
        """The collapse guard acted; call it before the epoch that training goes on with starts."""
        self.log.write(event)
        self.tensorboard.write_guard(event)
        self.event_queue.put(event)

    def notice(self, event: NoticeEvent) -> None:
        """Something that the user should know."""
        self.log.write(event)
        self.tensorboard.write_notice(event)
        self.event_queue.put(event)

    def close(self, run: RunFolder) -> None:
        """The third phase has ended: mark the run as complete."""
        self.tensorboard.write_end()
        self.tensorboard.close()
        mark_finished(run)

    def _steps_left(self, number: int) -> int | None:
        """Steps that the epoch budgets still hold; None where this phase or a later one has none."""
        budgets = [phase.epochs for phase in self.recipe.phases[self._state.phase - 1 :]]
        if None in budgets:
            return None
        epochs = sum(budget for budget in budgets if budget is not None) - self._state.epoch
        return epochs * self._steps - number


def mark_finished(run: RunFolder) -> None:
    """The third phase is complete."""
    fresh = run.finished.with_suffix(".new")
    fresh.write_text(json.dumps({"finished": datetime.now(UTC).isoformat("T", "seconds")}) + "\n")
    fresh.rename(run.finished)


def _gallery(val: Loader, images: int) -> Batch | None:
    """The same few validation images every time, the first of every class first."""
    chosen = balanced_sample(val.reader.index().labels, images)
    rows = val.reader.rows_at(chosen)
    return collate([decode(row, val.settings.image_size) for row in rows]) if chosen else None
