"""`metrics.jsonl`, read: what was logged in each epoch, and how each phase ended."""

import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from distxml.errors import UserError

Part = Literal["train", "val"]
PARTS: tuple[Part, ...] = ("train", "val")

NEEDED = {
    "epoch": ("phase", "epoch", "global_epoch"),
    "phase_end": ("phase", "epochs", "reason", "global_epoch"),
}


@dataclass(frozen=True)
class Epoch:
    """One epoch; numbers that were not logged are NaN.

    Attributes:
        phase: 1, 2 or 3.
        number: counts from 1 within the phase.
        overall: counts from 1 over all phases.
        values: by part and name of the quantity.
        lr_classifier, lr_explainer: learning rates.
        seconds: duration.
        images_per_second: of training.
    """

    phase: int
    number: int
    overall: int
    values: dict[Part, dict[str, float]]
    lr_classifier: float = math.nan
    lr_explainer: float = math.nan
    seconds: float = math.nan
    images_per_second: float = math.nan

    def value(self, part: Part, name: str) -> float:
        """NaN where it was not logged."""
        return self.values[part].get(name, math.nan)


@dataclass(frozen=True)
class PhaseEnd:
    """How a phase ended: after how many epochs, and why; `overall` is its last epoch."""

    phase: int
    epochs: int
    reason: str
    overall: int


@dataclass
class TrainingLog:
    """Everything that a run logged.

    Attributes:
        epochs: in order; one that was trained again after a restart appears once, as it was trained last.
        ends: of the phases that are complete, in order.
        restarts: how often the run went on from a checkpoint.
    """

    epochs: list[Epoch] = field(default_factory=list)
    ends: list[PhaseEnd] = field(default_factory=list)
    restarts: int = 0

    @property
    def seconds(self) -> float:
        """Time spent in the epochs listed."""
        return sum(epoch.seconds for epoch in self.epochs if math.isfinite(epoch.seconds))

    def epochs_of(self, phase: int) -> int:
        """How many epochs a phase has had."""
        return sum(epoch.phase == phase for epoch in self.epochs)

    def end_of(self, phase: int) -> PhaseEnd | None:
        """How a phase ended; None where it has not."""
        return next((end for end in self.ends if end.phase == phase), None)

    def add(self, event: dict[str, Any]) -> None:
        """Take in one event; an epoch replaces what an earlier attempt logged from there on."""
        if event["event"] == "epoch":
            epoch = _epoch(event)
            self.epochs = [kept for kept in self.epochs if kept.overall < epoch.overall] + [epoch]
            self.ends = [end for end in self.ends if end.overall < epoch.overall]
        elif event["event"] == "phase_end":
            end = PhaseEnd(event["phase"], event["epochs"], str(event["reason"]), event["global_epoch"])
            self.ends = [kept for kept in self.ends if kept.phase < end.phase] + [end]
        elif event["event"] == "resumed":
            self.restarts += 1


def read_training_log(path: Path) -> TrainingLog:
    """The log at `path`; empty where there is none. A last line that was cut short is left out.

    Raises:
        UserError: another line is not what training writes.
    """
    log = TrainingLog()
    if not path.is_file():
        return log
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines.pop()  # training was killed, or is writing right now
    for number, line in enumerate(lines, 1):
        where = f"{path}, line {number}"
        try:
            log.add(_parse(line, where))
        except (TypeError, ValueError, KeyError, AttributeError, OverflowError, RecursionError):
            raise UserError(f"{where}: not a line that `distxml train` wrote; remove it") from None
    return log


def _parse(line: str, where: str) -> dict[str, Any]:
    event = json.loads(line)
    needed = NEEDED.get(event["event"], ())
    missing = [name for name in needed if name not in event]
    if missing:
        raise UserError(f"{where}: this {event['event']} event lacks {', '.join(missing)}; remove the line")
    wrong = [name for name in needed if name != "reason" and not isinstance(event[name], int)]
    if wrong:
        raise UserError(f"{where}: {', '.join(wrong)} must be whole numbers; remove the line")
    return event


def _epoch(event: dict[str, Any]) -> Epoch:
    return Epoch(
        phase=event["phase"],
        number=event["epoch"],
        overall=event["global_epoch"],
        values={part: _numbers(event.get(part) or {}) for part in PARTS},
        lr_classifier=_number(event, "lr_classifier"),
        lr_explainer=_number(event, "lr_explainer"),
        seconds=_number(event, "seconds"),
        images_per_second=_number(event, "images_per_second"),
    )


def _numbers(values: dict[str, Any]) -> dict[str, float]:
    return {name: _number(values, name) for name in values}


def _number(values: dict[str, Any], name: str) -> float:
    value = values.get(name)
    return float(value) if isinstance(value, int | float) else math.nan
