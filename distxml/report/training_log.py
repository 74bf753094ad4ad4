"""`metrics.jsonl`, read: what was logged in each epoch, and how each phase ended."""

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from distxml.config.phases import PhaseName
from distxml.errors import UserError, reason_of
from distxml.monitoring.metrics_log import numbered_events

Part = Literal["train", "val"]
PARTS: tuple[Part, ...] = ("train", "val")

REMEDY = "not a line that `distxml train` wrote; remove it"

Count = Annotated[int, Field(ge=1, le=10**9)]
Number = float | None
LoggedPhase = Annotated[PhaseName, Field(strict=False)]


@dataclass(frozen=True)
class Epoch:
    """One epoch; numbers that were not logged are NaN.

    Attributes:
        number: counts from 1 within the phase.
        overall: counts from 1 over all phases.
        values: by part and name of the quantity.
        lr_classifier, lr_explainer: learning rates.
        seconds: duration.
    """

    phase: PhaseName
    number: int
    overall: int
    values: dict[Part, dict[str, float]]
    lr_classifier: float = math.nan
    lr_explainer: float = math.nan
    seconds: float = math.nan

    def value(self, part: Part, name: str) -> float:
        """NaN where it was not logged."""
        return self.values[part].get(name, math.nan)


@dataclass(frozen=True)
class PhaseEnd:
    """How a phase ended: after how many epochs, and why; `overall` is its last epoch."""

    phase: PhaseName
    epochs: int
    reason: str
    overall: int


@dataclass(frozen=True)
class GuardAction:
    """What the collapse guard saw and did; `overall` is the last finished epoch by then."""

    phase: PhaseName
    tries: int
    reason: str
    action: str
    lr_explainer: float
    overall: int

    @property
    def place(self) -> tuple[int, int]:
        """Actions are ordered by this: the phase's number, and how often the guard has acted in it."""
        return self.phase.number, self.tries


@dataclass
class TrainingLog:
    """Everything that a run logged.

    Attributes:
        epochs: in order; one that was trained again after a restart appears once, as it was trained last.
        ends: of the phases that are complete, in order.
        restarts: how often the run continued from a checkpoint.
        guard: what the collapse guard did, in order; the epochs that it took back are among `epochs`.
        notices: what else the user should know, each once.
    """

    epochs: list[Epoch] = field(default_factory=list)
    ends: list[PhaseEnd] = field(default_factory=list)
    restarts: int = 0
    guard: list[GuardAction] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """Time spent in the epochs listed."""
        return sum(epoch.seconds for epoch in self.epochs if math.isfinite(epoch.seconds))

    def epochs_of(self, phase: PhaseName) -> int:
        """How many epochs a phase has had."""
        return sum(epoch.phase == phase for epoch in self.epochs)

    def end_of(self, phase: PhaseName) -> PhaseEnd | None:
        """How a phase ended; None where it has not."""
        return next((end for end in self.ends if end.phase == phase), None)

    def guard_in(self, phase: PhaseName) -> list[GuardAction]:
        """What the guard did in a phase."""
        return [action for action in self.guard if action.phase == phase]

    def add(self, event: dict[str, Any]) -> None:
        """Take in one event; an epoch replaces what an earlier attempt logged from there on.

        Raises:
            ValidationError: a field is missing or wrong; an event of an unknown kind is passed over.
        """
        if event["event"] == "epoch":
            epoch = _EpochLine.model_validate(event).epoch_logged()
            self.epochs = [kept for kept in self.epochs if kept.overall < epoch.overall] + [epoch]
            self.ends = [end for end in self.ends if end.overall < epoch.overall]
            self.guard = [action for action in self.guard if action.overall < epoch.overall]
        elif event["event"] == "phase_end":
            line = _PhaseEndLine.model_validate(event)
            end = PhaseEnd(line.phase, line.epochs, line.reason, line.global_epoch)
            self.ends = [kept for kept in self.ends if kept.phase in end.phase.earlier] + [end]
        elif event["event"] == "resumed":
            self.restarts += 1
        elif event["event"] == "guard":
            action = _GuardLine.model_validate(event).action_logged()
            before = [kept for kept in self.guard if kept.place < action.place]
            self.guard = [*before, action]
        elif event["event"] == "notice":
            message = _NoticeLine.model_validate(event).message
            self.notices = [*(kept for kept in self.notices if kept != message), message]


def read_training_log(path: Path) -> TrainingLog:
    """The log at `path`; empty where there is none. A last line that was cut short is left out.

    Raises:
        UserError: it cannot be read, or another line is not what training writes.
    """
    log = TrainingLog()
    if not path.is_file():
        return log
    try:
        for number, event in numbered_events(path):
            if event is None:
                raise UserError(f"{path}, line {number}: {REMEDY}")
            _add(log, event, f"{path}, line {number}")
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({reason_of(error)})") from None
    return log


def _add(log: TrainingLog, event: dict[str, Any], where: str) -> None:
    try:
        log.add(event)
    except ValidationError as error:
        wrong = error.errors()[0]
        field_name = ".".join(str(part) for part in wrong["loc"])
        raise UserError(f"{where}: field {field_name}: {wrong['msg']}; {REMEDY}") from None


class _EpochLine(BaseModel):
    """An `EpochEvent` as logged."""

    model_config = ConfigDict(strict=True)

    phase: LoggedPhase
    epoch: Count
    global_epoch: Count
    train: dict[str, Number] | None = None
    val: dict[str, Number] | None = None
    lr_classifier: Number = None
    lr_explainer: Number = None
    seconds: Number = None

    def epoch_logged(self) -> Epoch:
        """The same, None as NaN."""
        return Epoch(
            phase=self.phase,
            number=self.epoch,
            overall=self.global_epoch,
            values={
                part: {name: _or_nan(value) for name, value in (getattr(self, part) or {}).items()} for part in PARTS
            },
            lr_classifier=_or_nan(self.lr_classifier),
            lr_explainer=_or_nan(self.lr_explainer),
            seconds=_or_nan(self.seconds),
        )


class _PhaseEndLine(BaseModel):
    """A `PhaseEndEvent` as logged."""

    model_config = ConfigDict(strict=True)

    phase: LoggedPhase
    epochs: Annotated[int, Field(ge=0, le=10**9)]
    global_epoch: Annotated[int, Field(ge=0, le=10**9)]
    reason: str


class _GuardLine(BaseModel):
    """A `GuardEvent` as logged."""

    model_config = ConfigDict(strict=True)

    phase: LoggedPhase
    global_epoch: Annotated[int, Field(ge=0, le=10**9)]
    reason: str
    action: str
    tries: Count
    lr_explainer: Number = None

    def action_logged(self) -> GuardAction:
        """The same, None as NaN."""
        rate = _or_nan(self.lr_explainer)
        return GuardAction(self.phase, self.tries, self.reason, self.action, rate, self.global_epoch)


class _NoticeLine(BaseModel):
    """A `NoticeEvent` as logged."""

    model_config = ConfigDict(strict=True)

    message: str


def _or_nan(value: Number) -> float:
    return math.nan if value is None else value
