"""Runs that a test disturbs, and one that nobody disturbs."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.integration.faults.watched_run import WatchedRun

TWO_WORKERS = "scaling.workers=2"
Starter = Callable[..., WatchedRun]


@pytest.fixture
def start(place: Path) -> Iterator[Starter]:
    """Starts runs; what a failed test leaves of them is killed."""
    started: list[WatchedRun] = []

    def start_run(name: str, *settings: str, folder: Path = place, **environment: str) -> WatchedRun:
        run = WatchedRun(folder, name, (TWO_WORKERS, *settings), environment)
        started.append(run)
        run.start()
        return run

    yield start_run
    for run in started:
        run.kill_everything()


@pytest.fixture(scope="session")
def undisturbed(place: Path) -> WatchedRun:
    """What the others must end equal to."""
    run = WatchedRun(place, "left alone", (TWO_WORKERS,))
    run.start()
    run.finish()
    return run
