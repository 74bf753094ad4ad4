"""The manager of a sweep's trials: says which one Ray Tune starts next, and writes down what becomes of each."""

from typing import Any, Protocol

from distxml.config import Recipe
from distxml.config.load import with_settings
from distxml.config.phases import PhaseName
from distxml.errors import UserError
from distxml.tuning.plan import NoTrial, SweepPlan
from distxml.tuning.records import SweepFolder, TrialRecord, trial_name
from distxml.tuning.trial_history import TrialHistory


class SweepDisplay(Protocol):
    """What shows a sweep while it runs."""

    def started(self, record: TrialRecord) -> None: ...

    def again(self, record: TrialRecord) -> None: ...

    def progress(self, record: TrialRecord, phase: PhaseName, epoch: int) -> None: ...

    def waits(self, record: TrialRecord, phase: PhaseName) -> None: ...

    def notice(self, record: TrialRecord, message: str) -> None: ...

    def over(self, record: TrialRecord) -> None: ...


def trial_recipe(base: Recipe, folder: SweepFolder, record: TrialRecord) -> Recipe:
    """What a trial trains.

    Raises:
        UserError: its settings do not go together.
    """
    own = {"run.name": trial_name(record.number), "run.folder": str(folder.trials)}
    return with_settings(base, record.settings | own, f"trial {record.number}")


class TrialManager:
    """Keeps the records; a trial is on the disk before it begins, and again when it is over.

    Attributes:
        infrastructure_failure: what stopped a trial for reasons other than its settings, so that the sweep has to end;
            empty where nothing did.
    """

    def __init__(self, folder: SweepFolder, base: Recipe, plan: SweepPlan, display: SweepDisplay) -> None:
        """
        Args:
            folder: where the records are kept.
            base: the recipe that trials differ from.
            plan: which trial comes next; it holds the trials from before an interruption.
            display: told what the user should see.
        """
        self.folder, self.base, self.plan, self.display = folder, base, plan, display
        self.infrastructure_failure = ""
        self._histories: dict[int, TrialHistory] = {}
        self._begun: dict[int, int] = {}
        self._interrupted = [record.number for record in plan.records if not record.is_over]

    def next(self) -> int | NoTrial:
        """The number of the next trial: those that were interrupted come first."""
        if self.infrastructure_failure:
            return NoTrial.OVER
        if self._interrupted:
            return self._start(self._interrupted.pop(0))
        while True:
            proposal = self.plan.next()
            if isinstance(proposal, NoTrial):
                return proposal
            record = TrialRecord(number=len(self.plan.records), step=proposal.step, settings=proposal.settings)
            self.plan.add(record)
            self.folder.save(record)
            try:
                trial_recipe(self.base, self.folder, record)
            except UserError as error:
                self.close(record.number, "failed", str(error))
                continue
            return self._start(record.number)

    def begin(self, number: int) -> None:
        """A trial's process begins; where that is not the first one, the one before was lost."""
        self._begun[number] = self._begun.get(number, 0) + 1
        if self._begun[number] > 1:
            self.display.again(self.record(number))

    def report(self, number: int, result: dict[str, Any]) -> None:
        """A trial has something to say."""
        record = self.record(number)
        if result.get("waits_for"):
            self.display.waits(record, result["waits_for"])
        elif result.get("notice"):
            self.display.notice(record, result["notice"])
        elif result.get("phase"):
            self._read_run(record)
            self.display.progress(record, result["phase"], result["epoch"])

    def end(self, number: int, result: dict[str, Any] | None) -> None:
        """A trial has ended: by itself, stopped by the scheduler, or, without a result, lost once too often."""
        if self.record(number).is_over:
            return
        if result is None:
            lost = f"its process was lost more than {self.plan.sweep.retries} times: killed, or out of memory"
            self.close(number, "failed", lost)
            return
        outcome, reason = result.get("outcome"), result.get("reason", "")
        if outcome in ("finished", "failed"):
            self.close(number, outcome, reason)
        elif outcome == "infrastructure":
            self.infrastructure_failure = reason  # the trial is not over: it continues when the sweep is resumed
        elif not self.infrastructure_failure:  # else it was ended together with the sweep
            self.close(number, "stopped", "the scheduler found others better at this epoch")

    def close(self, number: int, status: Any, reason: str) -> None:
        """A trial is over."""
        record = self.record(number)
        record.status, record.reason = status, reason
        self._read_run(record)
        self.folder.save(record)
        self.plan.over(record)
        self.display.over(record)

    def record(self, number: int) -> TrialRecord:
        """What is known of a trial."""
        return self.plan.records[number]

    def history(self, number: int) -> TrialHistory:
        """What a trial's run has come to by now; only what it has logged since the last time is read."""
        if number not in self._histories:
            self._histories[number] = TrialHistory(self.folder.run(number))
        return self._histories[number].update()

    def _start(self, number: int) -> int:
        self.display.started(self.record(number))
        return number

    def _read_run(self, record: TrialRecord) -> None:
        if self.folder.run(record.number).path.is_dir():
            self.history(record.number).fill(record)
        value = self.plan.objective.score(record.metrics)
        record.score = value.score if value and record.status != "failed" else None
