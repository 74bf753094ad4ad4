"""The first rank's pen: everything that it writes down or sends to the terminal while it trains."""

import json
import time
from datetime import UTC, datetime

import torch

from distxml.config import Recipe
from distxml.config.run_folder import RunFolder
from distxml.data.batch import Batch
from distxml.data.loader import Loader
from distxml.data.rows import collate, decode
from distxml.monitoring.events import EpochEvent, PhaseEndEvent, ResumedEvent, StepEvent
from distxml.monitoring.mailbox import Mailbox
from distxml.monitoring.metrics_log import MetricsLog
from distxml.monitoring.tensorboard import TensorBoard
from distxml.training.learner import Learner
from distxml.training.state import TrainState
from distxml.training.tally import Tally

SECONDS_BETWEEN_STEP_EVENTS = 0.5


class Watcher:
    """Writes metrics.jsonl and TensorBoard, and sends events to the driver."""

    def __init__(self, run: RunFolder, recipe: Recipe, val: Loader, mailbox: Mailbox, resume_after: int) -> None:
        self.recipe = recipe
        self.mailbox = mailbox
        self.log = MetricsLog(run.metrics)
        self.log.forget_after(resume_after)
        self.tensorboard = TensorBoard(run.tensorboard, resume_after)
        self.gallery = _gallery(val, recipe.run.gallery)
        self._state = TrainState()
        self._steps, self._first_step = 1, 0
        self._started = self._last_event = time.monotonic()

    def resume(self, event: ResumedEvent) -> None:
        """Training goes on from a checkpoint."""
        self.log.write(event)
        self.mailbox.put(event)

    def start_epoch(self, state: TrainState, steps: int) -> None:
        """An epoch of `steps` steps begins."""
        self._state, self._steps, self._first_step = state, steps, state.step_in_epoch
        self._started = time.monotonic()

    def clock(self) -> float:
        """Seconds since the epoch began."""
        return time.monotonic() - self._started

    def step(self, number: int, tally: Tally) -> None:
        """A step is done; says so now and then."""
        now = time.monotonic()
        if now - self._last_event < SECONDS_BETWEEN_STEP_EVENTS:
            return
        self._last_event = now
        pace = (now - self._started) / (number - self._first_step)  # seconds a step
        self.mailbox.put(
            StepEvent(
                phase=self._state.phase,
                epoch=self._state.epoch + 1,
                epochs=self.recipe.phases[self._state.phase - 1].epochs,
                step=number,
                steps=self._steps,
                terms=tally.on_this_rank(),
                images_per_second=self.recipe.loader.batch_size / pace,
                seconds_left=pace * self._steps_left(number),
            )
        )

    def end_epoch(self, event: EpochEvent, learner: Learner) -> None:
        """An epoch is over, the model in eval mode."""
        self.log.write(event)
        self.tensorboard.write_epoch(event)
        self.mailbox.put(event)
        if self.gallery is not None:
            with torch.no_grad():
                output = learner.forward(learner.model, self.gallery.to(learner.device))
            self.tensorboard.write_gallery(self.gallery, output, event.global_epoch)

    def end_phase(self, event: PhaseEndEvent) -> None:
        """A phase is over."""
        self.log.write(event)
        self.tensorboard.write_phase_end(event)
        self.mailbox.put(event)

    def close(self, run: RunFolder) -> None:
        """The third phase has ended: mark the run as complete."""
        self.tensorboard.close()
        fresh = run.finished.with_suffix(".new")
        fresh.write_text(json.dumps({"finished": datetime.now(UTC).isoformat("T", "seconds")}) + "\n")
        fresh.rename(run.finished)

    def _steps_left(self, number: int) -> int:
        """Steps that the epoch budgets still hold."""
        later = sum(phase.epochs for phase in self.recipe.phases[self._state.phase :])
        here = self.recipe.phases[self._state.phase - 1].epochs - self._state.epoch
        return (here + later) * self._steps - number


def _gallery(val: Loader, images: int) -> Batch | None:
    """The same few validation images every time, the classes in turn."""
    by_class: dict[int, list[int]] = {}
    for index, label in enumerate(val.reader.index().labels):
        by_class.setdefault(label, []).append(index)
    longest = max(len(rows) for rows in by_class.values())
    in_turn = [rows[place] for place in range(longest) for _, rows in sorted(by_class.items()) if place < len(rows)]
    chosen = in_turn[:images]
    rows = val.reader.rows_at(chosen)
    return collate([decode(row, val.settings.image_size) for row in rows]) if chosen else None
