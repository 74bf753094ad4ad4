"""Sweeps that a test starts; what a failed one leaves is killed."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.integration.tuning.watched_sweep import WatchedSweep

Starter = Callable[..., WatchedSweep]


@pytest.fixture
def start(place: Path) -> Iterator[Starter]:
    started: list[WatchedSweep] = []

    def start_sweep(name: str, content: dict, *words: str, **more) -> WatchedSweep:
        sweep = WatchedSweep(place, name, content, **more)
        started.append(sweep)
        sweep.start(*words)
        return sweep

    yield start_sweep
    for sweep in started:
        sweep.kill_everything()
