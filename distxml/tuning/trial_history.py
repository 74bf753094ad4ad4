"""What a trial's run has come to, read from its folder: metrics, epochs, seconds, what it took from others."""

from typing import Any

from distxml.config.phases import PhaseName
from distxml.config.run_folder import RunFolder
from distxml.monitoring.metrics_tail import MetricsTail
from distxml.tuning.phase_cache.shared import Taken, taken_phases
from distxml.tuning.records import TrialRecord


class TrialHistory:
    """A trial's run so far; empty until `update`, which reads what the run has logged since.

    Attributes:
        scored: metrics of the validation split by epoch of the joint phase, from 1; the newest last. Epochs that the
            guard went back over are not in it.
        taken: phases that came from other trials.
        epochs: of each phase, whoever trained them.
    """

    def __init__(self, run: RunFolder) -> None:
        """`run` may not have begun."""
        self._run, self._tail = run, MetricsTail(run.metrics)
        self._forget()

    def _forget(self) -> None:
        self.scored: dict[int, dict[str, float]] = {}
        self.taken: dict[PhaseName, Taken] = {}
        self.epochs: dict[PhaseName, int] = dict.fromkeys(PhaseName, 0)
        self._seconds: dict[PhaseName, float] = dict.fromkeys(PhaseName, 0.0)

    def update(self) -> "TrialHistory":
        """Read on; from the beginning where the log was written anew. The same object."""
        events, is_another = self._tail.read()
        if is_another:
            self._forget()
        for event in events:
            self._add(event)
        self.taken = taken_phases(self._run)
        return self

    def _add(self, event: dict[str, Any]) -> None:
        if event["event"] == "epoch":
            self.epochs[event["phase"]] += 1
            self._seconds[event["phase"]] += event["seconds"]
        if event.get("phase") == PhaseName.JOINT:
            self._add_scored(event)

    def _add_scored(self, event: dict[str, Any]) -> None:
        """Epochs that the guard went back over do not count: neither the dead one nor those that were made anew."""
        if event["event"] == "guard":
            self._go_back_to(event["epoch"])
        elif event["event"] == "epoch":
            self._go_back_to(event["epoch"] - 1)
            self.scored[event["epoch"]] = event["val"]

    def _go_back_to(self, epoch: int) -> None:
        while self.last[0] > epoch:
            self.scored.popitem()

    @property
    def last(self) -> tuple[int, dict[str, float]]:
        """The newest epoch of the joint phase that counts, and its metrics; epoch 0 without any where there is none."""
        return next(reversed(self.scored.items()), (0, {}))

    @property
    def seconds(self) -> float:
        """Of the epochs that the trial trained itself."""
        return sum(seconds for phase, seconds in self._seconds.items() if phase not in self.taken)

    def fill(self, record: TrialRecord) -> None:
        """Write it into the trial's record."""
        _, record.metrics = self.last
        record.epochs = dict(self.epochs)
        record.seconds = self.seconds
        record.saved_epochs = sum(int(each["epochs"]) for each in self.taken.values())
        record.saved_seconds = sum(float(each["seconds"]) for each in self.taken.values())
        record.taken_from = {phase: str(each["made_by"]) for phase, each in self.taken.items()}
