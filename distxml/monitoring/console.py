"""Training on the terminal: a live line where there is one, plain lines where there is not."""

from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.text import Text

from distxml.config.phases import PhaseName
from distxml.metrics.lookup import metric_entry
from distxml.monitoring.events import (
    EpochEvent,
    Event,
    FailedEvent,
    GuardEvent,
    NoticeEvent,
    PhaseEndEvent,
    ResumedEvent,
    StepEvent,
)

FIGURES = ("total", "classification", "explanation", "sparsity", "accuracy", "flips_above_random", "aopc", "pompom")
PERCENTAGES = ("black", "white", "difference")
"""Metrics that a line shows, in this order, where the epoch or step has them."""


class TrainingConsole:
    """Shows events in one place; use as a context manager."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console()
        self._progress = Progress(
            TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[figures]}"), console=self.console,
            transient=True, disable=not self.console.is_terminal,
        )  # fmt: skip
        self._task: TaskID | None = None

    def __enter__(self) -> "TrainingConsole":
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def show(self, event: Event) -> None:
        """Show one event."""
        if isinstance(event, StepEvent):
            self._show_step(event)
        else:
            self._print(_line(event))

    def _print(self, line: str) -> None:
        self._progress.console.print(Text(line), soft_wrap=True)

    def _show_step(self, event: StepEvent) -> None:
        if self._task is None:
            self._task = self._progress.add_task("", total=event.steps, figures="")
        self._progress.update(
            self._task,
            description=f"{_place(event.phase, event.epoch, event.epochs)} step {event.step}/{event.steps}",
            completed=event.step,
            total=event.steps,
            figures=f"{_figures(event.terms)}  {_pace(event)}",
        )


def _line(event: EpochEvent | PhaseEndEvent | ResumedEvent | GuardEvent | NoticeEvent | FailedEvent) -> str:
    match event:
        case EpochEvent():
            return epoch_line(event)
        case PhaseEndEvent():
            return f"the {event.phase} phase ended after {event.epochs} epochs: {event.reason}"
        case ResumedEvent():
            step = f" and {event.step} steps of the next" if event.step else ""
            return f"resumed in the {event.phase} phase after epoch {event.epoch}{step}"
        case GuardEvent():
            return guard_line(event)
        case NoticeEvent():
            return f"note: {event.message}"
        case FailedEvent():
            return f"a worker stopped: {event.message}"


def epoch_line(event: EpochEvent) -> str:
    """One line per epoch: where we are, the validation figures, the pace."""
    place = _place(event.phase, event.epoch, event.epochs)
    pace = f"{event.pace['images_per_second']:.0f} img/s  wait {event.pace['data_wait']:.0%}  " if event.pace else ""
    return f"{place}  val {_figures(event.val)}  {pace}{event.seconds:.1f} s"


def guard_line(event: GuardEvent) -> str:
    """One line: what the guard saw and did, and what training continues with."""
    did = f"{event.action} (explainer's learning rate now {event.lr_explainer:g})"
    return f"collapse guard, {event.phase} phase, try {event.tries}: {event.reason}; {did}"


def _place(phase: PhaseName, epoch: int, epochs: int | None) -> str:
    most = "" if epochs is None else f"/{epochs}"
    return f"{phase.label}  epoch {epoch}{most}"


def _figures(terms: dict[str, float]) -> str:
    figures = [f"{metric_entry(name).short} {terms[name]:.3f}" for name in FIGURES if name in terms]
    shares = [f"{metric_entry(name).short} {terms[name]:.1%}" for name in PERCENTAGES if name in terms]
    return "  ".join(figures + shares)


def _pace(event: StepEvent) -> str:
    left = "" if event.seconds_left is None else f"  at most {_minutes(event.seconds_left)} left"
    return f"{event.images_per_second:.0f} img/s  wait {event.data_wait:.0%}{left}"


def _minutes(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes}:{rest:02}"
