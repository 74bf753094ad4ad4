"""`RunLogger`: metrics.jsonl, TensorBoard, and the events that the driver shows."""

import os
import time
from collections.abc import Callable

import torch

from distxml.config import Recipe
from distxml.config.run_folder import RunFolder
from distxml.data.batch import Batch
from distxml.data.loader import Loader
from distxml.data.rows import collate, decode
from distxml.data.subsets import balanced_sample
from distxml.monitoring.events import EpochEvent, GuardEvent, NoticeEvent, PhaseEndEvent, ResumedEvent, StepEvent
from distxml.monitoring.metrics_log import MetricsLog
from distxml.monitoring.phase_figures import PhaseFigures
from distxml.monitoring.tensorboard import TensorBoard
from distxml.training.callbacks.base import Callback, EpochContext, EpochReport
from distxml.training.callbacks.context import CallbackContext, EventSink
from distxml.training.epoch import Step
from distxml.training.state import TrainState

SECONDS_BETWEEN_STEP_EVENTS = 0.5
SECONDS_BETWEEN_STEP_SCALARS = 1.0
POINTS_PER_LINE = 1000
"""TensorBoard draws no more; in a long run the scalars of steps come less often."""


class RunLogger(Callback):
    """Writes down what happens, on the first rank."""

    def __init__(
        self,
        *,
        recipe: Recipe,
        run: RunFolder,
        state: TrainState,
        gallery: Batch | None,
        event_queue: EventSink,
        check_still_ours: Callable[[], None],
    ) -> None:
        """
        Args:
            recipe: of the run.
            run: where to write.
            state: where training begins or resumes; what was written of later epochs and steps is forgotten.
            gallery: images whose heatmaps are shown after each epoch.
            event_queue: to the driver.
            check_still_ours: raises where another driver has taken over the run: what its workers do is logged then.
        """
        self.recipe = recipe
        self.gallery = gallery
        self.event_queue = event_queue
        self.log = MetricsLog(run.metrics)
        self.log.forget_after(state.global_epoch, state.phase, state.tries)
        self._check_still_ours = check_still_ours
        self._last_seen = (state.global_epoch, state.step + state.step_in_epoch)
        self.tensorboard = TensorBoard(run.tensorboard, *self._last_seen)
        self.tensorboard.write_settings(recipe)
        self._epoch: EpochContext | None = None
        self._began = self._epoch_began = self._last_event = self._last_scalars = time.monotonic()

    def on_resume(self, event: ResumedEvent) -> None:
        self.log.write(event)
        self.event_queue.put(event)

    def on_notice(self, event: NoticeEvent) -> None:
        self.log.write(event)
        self.tensorboard.write_notice(event)
        self.event_queue.put(event)

    def on_guard(self, event: GuardEvent) -> None:
        self.log.write(event)
        self.tensorboard.write_guard(event)
        self.event_queue.put(event)

    def on_epoch_start(self, epoch: EpochContext) -> None:
        """Where training was rolled back, TensorBoard forgets what was written of later epochs and steps."""
        epochs, steps = epoch.state.global_epoch, epoch.state.step + epoch.state.step_in_epoch
        if epochs < self._last_seen[0] or steps < self._last_seen[1]:
            self.tensorboard.rewind(epochs, steps)
        self._last_seen = (epochs, steps)
        self._epoch = epoch
        self._epoch_began = time.monotonic()

    def on_step(self, number: int, step: Step) -> None:
        """Say so now and then."""
        assert self._epoch is not None, "an epoch starts before its steps"
        self._last_seen = (self._last_seen[0], self._epoch.state.step + number)
        now = time.monotonic()
        if now - self._last_event < SECONDS_BETWEEN_STEP_EVENTS:
            return
        self._last_event = now
        event = _step_event(self.recipe, self._epoch, number)
        self.event_queue.put(event)
        if now - self._last_scalars >= max(SECONDS_BETWEEN_STEP_SCALARS, (now - self._began) / POINTS_PER_LINE):
            self._last_scalars = now
            self.tensorboard.write_step(event)

    def on_epoch_end(self, report: EpochReport) -> None:
        self._check_still_ours()
        event = _epoch_event(report, time.monotonic() - self._epoch_began)
        self._last_seen = (event.global_epoch, self._last_seen[1])
        self.log.write(event)
        self.tensorboard.write_epoch(event)
        self.event_queue.put(event)
        if self.gallery is not None:
            with torch.no_grad():
                output = report.learner.forward(report.learner.model, self.gallery.to(report.learner.device))
            self.tensorboard.write_gallery(self.gallery, output, event.global_epoch)

    def on_phase_end(self, event: PhaseEndEvent, figures: PhaseFigures | None) -> None:
        self.log.write(event)
        self.tensorboard.write_phase_end(event, figures)
        self.event_queue.put(event)

    def on_end(self) -> None:
        self.tensorboard.write_end()
        self.tensorboard.close()


def make(context: CallbackContext) -> RunLogger:
    """In every run."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    return RunLogger(
        recipe=context.recipe,
        run=context.checkpoints.run,
        state=context.state,
        gallery=_gallery(context.data.val, context.recipe.run.gallery),
        event_queue=context.event_queue,
        check_still_ours=context.checkpoints.check_still_ours,
    )


def _step_event(recipe: Recipe, epoch: EpochContext, number: int) -> StepEvent:
    state, pace = epoch.state, epoch.measured()
    left = _steps_left(recipe, epoch, number)
    step_seconds = pace.get("step_seconds", 0.0)
    return StepEvent(
        phase=state.phase,
        epoch=state.epoch + 1,
        epochs=epoch.learner.phase.epochs,
        step=number,
        steps=epoch.steps,
        global_step=state.step + number,
        terms=epoch.metrics.compute_on_this_rank(),
        images_per_second=pace.get("images_per_second", 0.0),
        data_wait=pace.get("data_wait", 0.0),
        step_seconds=step_seconds,
        gradient_norm=pace.get("gradient_norm", 0.0),
        seconds_left=None if left is None else step_seconds * left,
    )


def _steps_left(recipe: Recipe, epoch: EpochContext, number: int) -> int | None:
    """Steps that the epoch budgets still hold; None where this phase or a later one has none."""
    now = epoch.state.phase
    budgets = [recipe.phases[phase].epochs for phase in (now, *now.later)]
    if None in budgets:
        return None
    epochs = sum(budget for budget in budgets if budget is not None) - epoch.state.epoch
    return epochs * epoch.steps - number


def _epoch_event(report: EpochReport, seconds: float) -> EpochEvent:
    return EpochEvent(
        phase=report.state.phase,
        epoch=report.state.epoch,
        epochs=report.learner.phase.epochs,
        global_epoch=report.state.global_epoch,
        train=report.train,
        val=report.val,
        lr_classifier=report.rates.classifier,
        lr_explainer=report.rates.explainer,
        seconds=seconds,
        pace=report.pace,
        memory=report.memory,
    )


def _gallery(val: Loader, images: int) -> Batch | None:
    """The same few validation images every time, the first of every class first."""
    chosen = balanced_sample(val.reader.index().labels, images)
    rows = val.reader.rows_at(chosen)
    return collate([decode(row, val.settings.image_size) for row in rows]) if chosen else None
