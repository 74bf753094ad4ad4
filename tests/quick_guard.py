"""A test without the mark `slow` that starts a process or joins Ray fails: `make quick` must stay quick, and alone.

Processes are seen by Python's audit events. `multiprocessing`, and what torch and `concurrent.futures` build upon it,
raises none when it spawns: so its one way to start a process is watched too.
"""

import multiprocessing.process
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager

import pytest

EVENTS = ("subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.system", "pty.spawn")
"""Audit events of a process that starts."""

HARMLESS = {
    "ldconfig": "ctypes looks for a shared library, once",
    "fc-list": "matplotlib lists the fonts, once for each machine",
    "uname": "platform.processor asks for the processor's name, once",
}
"""Programs that a library asks for a fact about the machine, each for milliseconds, and why."""


class QuickGuard:
    """A pytest plugin that notes what each test without the mark `slow` starts, and fails the test for it."""

    def __init__(self) -> None:
        self._started: list[str] | None = None
        sys.addaudithook(self._hear)
        self._watch_multiprocessing()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Generator[None, None, None]:
        with self._watched(item):
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, None, None]:
        with self._watched(item):
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None, None, None]:
        with self._watched(item):
            return (yield)

    @contextmanager
    def _watched(self, item: pytest.Item) -> Iterator[None]:
        """Fails where the block has started something; an error of the block's own comes first."""
        if item.get_closest_marker("slow"):
            yield
            return
        started: list[str] = []
        self._started, joined_before = started, _in_ray()
        try:
            yield
        finally:
            self._started = None
        if _in_ray() and not joined_before:
            started.append("Ray")
        if started:
            pytest.fail(f"mark it slow, or start nothing: it started {'; '.join(started)}", pytrace=False)

    def _hear(self, event: str, arguments: tuple) -> None:
        if self._started is None or event not in EVENTS:
            return
        program = _program(arguments)
        if program.rpartition("/")[2] not in HARMLESS:
            self._started.append(f"{event} {program}".strip())

    def _watch_multiprocessing(self) -> None:
        guard, start = self, multiprocessing.process.BaseProcess.start

        def heard(self: multiprocessing.process.BaseProcess) -> None:
            if guard._started is not None:
                guard._started.append(f"multiprocessing {self.name}")
            start(self)

        multiprocessing.process.BaseProcess.start = heard


def _in_ray() -> bool:
    return "ray" in sys.modules and sys.modules["ray"].is_initialized()


def _program(arguments: tuple) -> str:
    """The first word of an event's command, "" where it has none."""
    if not arguments:
        return ""
    first = arguments[0]
    words = arguments[1] if isinstance(first, int) or first is None else first
    if isinstance(words, list | tuple):
        words = words[0] if words else ""
    return words.decode(errors="replace") if isinstance(words, bytes) else str(words)
