"""`Callback`: what watches training, and what it is told.

A new callback is one small file in this folder: a subclass that overrides what it wants to know, a function `make` that
makes it from a `CallbackContext`, and its line in `registry.py`. Callbacks are passive: they change neither the state,
nor the learner, nor torch's global random numbers. One that adds something up over the ranks is registered for every
rank, and does so in the same calls on each.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from distxml.monitoring.events import GuardEvent, NoticeEvent, PhaseEndEvent, ResumedEvent
from distxml.monitoring.phase_figures import PhaseFigures
from distxml.training.epoch import Step
from distxml.training.learner import Learner, LearningRates
from distxml.training.metrics import EpochMetrics, Metrics
from distxml.training.state import TrainState


@dataclass(frozen=True, kw_only=True)
class EpochContext:
    """The epoch that is being trained.

    Attributes:
        state: as training sees it; `step_in_epoch` is above 0 where the epoch resumes.
        learner: of the phase.
        metrics: of this epoch so far.
        steps: optimizer steps of a whole epoch.
        images: training images of a whole epoch, over all ranks.
        measures: functions that callbacks add when the epoch starts: figures of the epoch so far, measured when asked.
    """

    state: TrainState
    learner: Learner
    metrics: EpochMetrics
    steps: int
    images: int
    measures: list[Callable[[], dict[str, float]]] = field(default_factory=list)

    def measured(self) -> dict[str, float]:
        """The figures of all measures."""
        return {name: value for measure in self.measures for name, value in measure().items()}


@dataclass(frozen=True, kw_only=True)
class EpochReport:
    """An epoch that is over. Callbacks may add figures to `val`, `pace` and `memory`; those after them report these.

    Attributes:
        state: the epoch is counted in it.
        learner: its model is in eval mode.
        train, val: over the whole splits, all ranks together; training itself has a copy of `val`.
        rates: of this epoch.
        pace, memory: see `EpochEvent`.
    """

    state: TrainState
    learner: Learner
    train: Metrics
    val: Metrics
    rates: LearningRates
    pace: dict[str, float] = field(default_factory=dict)
    memory: dict[str, float] = field(default_factory=dict)


class Callback:
    """Watches training; does nothing unless overridden."""

    def on_resume(self, event: ResumedEvent) -> None:
        """Training resumes from a checkpoint."""

    def on_notice(self, event: NoticeEvent) -> None:
        """Something that the user should know; not on every rank."""

    def on_guard(self, event: GuardEvent) -> None:
        """The collapse guard acted; the next epoch starts after this, maybe one with a lower number than the last."""

    def on_epoch_start(self, epoch: EpochContext) -> None:
        """The training steps of an epoch, or what is left of them, begin."""

    def on_batch(self, seconds: float) -> None:
        """A batch has arrived; the step loop waited so long for it."""

    def on_step(self, number: int, step: Step) -> None:
        """Step `number` of the epoch, counted from 1, is done."""

    def on_last_step(self) -> None:
        """The epoch has no more training steps: all are done, the phase or the guard ended them, or one failed."""

    def on_epoch_end(self, report: EpochReport) -> None:
        """An epoch was trained and validated; on every rank. An epoch that the guard stopped midway has no end."""

    def on_phase_end(self, event: PhaseEndEvent, figures: PhaseFigures | None) -> None:
        """A phase is over; `figures` (None: fewer than two classes) are those of the validation split."""

    def on_end(self) -> None:
        """The last phase is over."""


@dataclass(frozen=True)
class Callbacks(Callback):
    """Callbacks as one, called in the order of the list."""

    members: tuple[Callback, ...] = ()

    def on_resume(self, event: ResumedEvent) -> None:
        for member in self.members:
            member.on_resume(event)

    def on_notice(self, event: NoticeEvent) -> None:
        for member in self.members:
            member.on_notice(event)

    def on_guard(self, event: GuardEvent) -> None:
        for member in self.members:
            member.on_guard(event)

    def on_epoch_start(self, epoch: EpochContext) -> None:
        for member in self.members:
            member.on_epoch_start(epoch)

    def on_batch(self, seconds: float) -> None:
        for member in self.members:
            member.on_batch(seconds)

    def on_step(self, number: int, step: Step) -> None:
        for member in self.members:
            member.on_step(number, step)

    def on_last_step(self) -> None:
        for member in self.members:
            member.on_last_step()

    def on_epoch_end(self, report: EpochReport) -> None:
        for member in self.members:
            member.on_epoch_end(report)

    def on_phase_end(self, event: PhaseEndEvent, figures: PhaseFigures | None) -> None:
        for member in self.members:
            member.on_phase_end(event, figures)

    def on_end(self) -> None:
        for member in self.members:
            member.on_end()
