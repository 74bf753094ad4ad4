"""Runs that a test disturbs, and a disk to fill."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.integration.ray_cluster import RayCluster
from tests.integration.watched_run import WatchedRun

Starter = Callable[..., WatchedRun]


@pytest.fixture
def start(place: Path) -> Iterator[Starter]:
    """Starts runs; what a failed test leaves of them is killed."""
    started: list[WatchedRun] = []

    def start_run(name: str, *settings: str, folder: Path = place, cluster: RayCluster | None = None) -> WatchedRun:
        run = WatchedRun(folder, name, settings, cluster)
        started.append(run)
        run.start()
        return run

    yield start_run
    for run in started:
        run.kill_everything()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 16 MB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("needs the right to mount a file system, to fill it")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def fill_up(disk: Path) -> Path:
    """A file that takes all the room there is; remove it to free it."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            pass  # full
    return filler
