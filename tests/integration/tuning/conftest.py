"""Sweeps that a test starts; what a failed one leaves is killed."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.integration.ray_cluster import RayCluster
from tests.integration.tuning.watched_sweep import WatchedSweep

Starter = Callable[..., WatchedSweep]


@pytest.fixture
def start(place: Path) -> Iterator[Starter]:
    started: list[WatchedSweep] = []

    def start_sweep(name: str, content: dict, *settings: str, cluster: RayCluster | None = None) -> WatchedSweep:
        sweep = WatchedSweep(place, name, settings, cluster, content=content)
        started.append(sweep)
        sweep.start()
        return sweep

    yield start_sweep
    for sweep in started:
        sweep.kill_everything()
