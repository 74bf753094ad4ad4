"""What a trial's run has come to, read from its folder: metrics, epochs, seconds, what it took from others."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from distxml.config.run_folder import RunFolder
from distxml.monitoring.metrics_log import read_metrics
from distxml.training.checkpoints import PHASES
from distxml.tuning.phase_cache.shared import Taken, taken_phases
from distxml.tuning.records import TrialRecord


@dataclass(frozen=True)
class RunFigures:
    """A trial's run so far.

    Attributes:
        history: metrics of the validation split by epoch of phase 3, from 1; the newest last. Epochs that the guard
            went back over are not in it.
        taken: what `shared_phases` wrote down, by phase.
    """

    history: dict[int, dict[str, float]]
    epochs: tuple[int, int, int]
    seconds: float
    taken: dict[int, Taken]

    @property
    def last(self) -> dict[str, float]:
        """The newest metrics of phase 3."""
        return list(self.history.values())[-1] if self.history else {}

    def fill(self, record: TrialRecord) -> None:
        """Write it into a trial's record."""
        record.metrics = self.last
        record.epochs = self.epochs
        record.seconds = self.seconds
        record.saved_epochs = sum(int(each["epochs"]) for each in self.taken.values())
        record.saved_seconds = sum(float(each["seconds"]) for each in self.taken.values())
        record.taken_from = {phase: str(each["made_by"]) for phase, each in self.taken.items()}


def run_figures(run: RunFolder) -> RunFigures:
    """Read a run's folder; it may not have begun."""
    lines = read_metrics(run.metrics) if run.metrics.exists() else []
    epochs = [line for line in lines if line["event"] == "epoch"]
    taken = taken_phases(run)
    one, two, three = (sum(line["phase"] == phase for line in epochs) for phase in PHASES)
    return RunFigures(
        history=_history(line for line in lines if line.get("phase") == PHASES[-1]),
        epochs=(one, two, three),
        seconds=sum(line["seconds"] for line in epochs if line["phase"] not in taken),
        taken=taken,
    )


def _history(lines: Iterable[dict[str, Any]]) -> dict[int, dict[str, float]]:
    """Epochs that the guard went back over do not count: neither the dead one nor those that were made anew."""
    history: dict[int, dict[str, float]] = {}
    for line in lines:
        if line["event"] == "guard":
            history = {epoch: val for epoch, val in history.items() if epoch <= line["epoch"]}
        elif line["event"] == "epoch":
            history = {epoch: val for epoch, val in history.items() if epoch < line["epoch"]}
            history[line["epoch"]] = line["val"]
    return history
