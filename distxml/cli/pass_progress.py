"""Progress in forward passes, with the time left: a bar on a terminal, ten lines in total elsewhere."""

import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from distxml.report.wording import duration

LINES = 10
"""Progress lines in total where there is no terminal."""


class PassProgress:
    """A context manager that shows what `show` is called with."""

    def __init__(self, what: str, console: Console | None = None) -> None:
        self.what = what
        self.console = console or Console(stderr=True)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed:,.0f} of {task.total:,.0f} forward passes"),
            TimeRemainingColumn(),
            console=self.console,
            transient=True,
            disable=not self.console.is_terminal,
        )
        self._task = self._bar.add_task(what, total=1)
        self._lines = 0
        self._first: tuple[int, float] | None = None

    def __enter__(self) -> "PassProgress":
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def show(self, done: int, total: int) -> None:
        """Show that `done` of `total` forward passes are done."""
        self._bar.update(self._task, completed=done, total=total)
        self._first = self._first or (done, time.monotonic())
        lines = LINES * done // total
        if not self.console.is_terminal and lines > self._lines:
            self._lines = lines
            self.console.print(self._line(done, total), highlight=False, soft_wrap=True)

    def say(self, message: str) -> None:
        """Print a note for the user."""
        self.console.print(f"note: {message}", highlight=False, markup=False, soft_wrap=True)

    def _line(self, done: int, total: int) -> str:
        return f"{self.what}: {done:,} of {total:,} forward passes{self._time_left(done, total)}"

    def _time_left(self, done: int, total: int) -> str:
        """From the speed since the first call of `show`: before it, workers were starting."""
        first, since = self._first or (done, 0.0)
        if not first < done < total:
            return ""
        return f", about {duration((time.monotonic() - since) / (done - first) * (total - done))} left"
