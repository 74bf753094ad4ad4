"""A sweep on the terminal: the best trials so far, what runs, what became of the others."""

from types import TracebackType

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from distxml.config.phases import PhaseName
from distxml.tuning.objective import Objective
from distxml.tuning.records import TrialRecord
from distxml.tuning.results import best_trials, over_line, saved_line, settings_in_words

MAX_SHOWN = 12


class Leaderboard:
    """A live table where there is a terminal, one line per event where there is not; use as a context manager."""

    def __init__(self, objective: Objective, max_trials: int | None, console: Console | None = None) -> None:
        self.objective, self.max_trials = objective, max_trials
        self.console = console or Console()
        self.records: dict[int, TrialRecord] = {}
        self.doing: dict[int, str] = {}
        self._live = Live(console=self.console, auto_refresh=False, transient=True) if self._is_live else None

    @property
    def _is_live(self) -> bool:
        return self.console.is_terminal

    def __enter__(self) -> "Leaderboard":
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()

    def started(self, record: TrialRecord) -> None:
        """A trial begins, or continues after an interruption of the sweep."""
        self._change(record, "starts")
        self._say(f"trial {record.number} starts: {settings_in_words(record)}")

    def again(self, record: TrialRecord) -> None:
        """A trial's process was lost, and another continues it."""
        self._change(record, "starts again")
        self._say(f"trial {record.number} starts again: its process was lost")

    def progress(self, record: TrialRecord, phase: PhaseName, epoch: int) -> None:
        """A trial has ended an epoch."""
        self._change(record, f"{phase.label}, epoch {epoch}")

    def waits(self, record: TrialRecord, phase: PhaseName) -> None:
        """A trial waits for another, which trains a phase that both need."""
        self._change(record, f"waits for the {phase} phase")
        self._say(f"trial {record.number} waits for the {phase} phase, which another trial trains")

    def notice(self, record: TrialRecord, message: str) -> None:
        """A trial has something to say; on a terminal it stays, above the table."""
        self.console.print(Text(f"trial {record.number}: {message}"), soft_wrap=True)

    def over(self, record: TrialRecord) -> None:
        """A trial has ended."""
        self.doing.pop(record.number, None)
        self.records[record.number] = record
        self._refresh()
        self._say(over_line(record, self.objective))
        best = best_trials(list(self.records.values()), self.objective)
        if record in best and not self.objective.settings.is_multiple:
            self._say(f"best so far: trial {record.number}")

    def _change(self, record: TrialRecord, doing: str) -> None:
        self.records[record.number], self.doing[record.number] = record, doing
        self._refresh()

    def _say(self, line: str) -> None:
        if self._live is None:
            self.console.print(Text(line), soft_wrap=True)

    def _refresh(self) -> None:
        if self._live:
            self._live.update(Group(self.table(), Text(self._counts())), refresh=True)

    def _counts(self) -> str:
        records = list(self.records.values())
        of = "" if self.max_trials is None else f" of at most {self.max_trials}"
        by_status = {status: sum(record.status == status for record in records) for status in STATUSES}
        counts = ", ".join(f"{count} {status}" for status, count in by_status.items() if count)
        return f"{len(records)}{of} trials: {counts}; {saved_line(records)}"

    def table(self) -> Table:
        """The trials that run, and the best of the others."""
        table = Table(title=self.objective.in_words())
        for name in ("trial", "", "score", *self.objective.settings.names, "settings"):
            table.add_column(name, overflow="fold")
        known = sorted(self.records.values(), key=_rank)
        for record in known[:MAX_SHOWN]:
            figures = [f"{record.metrics[name]:.3f}" if name in record.metrics else "" for name in self._names]
            doing = self.doing.get(record.number, record.status)
            score = "" if record.score is None else f"{record.score:.4f}"
            table.add_row(str(record.number), doing, score, *figures, settings_in_words(record))
        return table

    @property
    def _names(self) -> tuple[str, ...]:
        return self.objective.settings.names


STATUSES = ("running", "finished", "stopped", "failed")


def _rank(record: TrialRecord) -> tuple[int, float, int]:
    order = {"running": 0, "finished": 1, "stopped": 2, "failed": 3}
    score = record.score if record.score is not None else float("-inf")
    return order[record.status], -score, record.number
