"""Runs that a test disturbs, one that nobody disturbs, and what they are disturbed with."""

import subprocess
import sys
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


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[subprocess.Popen[str]]:
    """Three nodes on this machine: a head without CPUs, and two of 1 CPU."""
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    command = [sys.executable, "-m", "tests.integration.faults.two_nodes"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()
        process.wait(timeout=60)


def tell(cluster: subprocess.Popen[str], word: str) -> None:
    assert cluster.stdin is not None and cluster.stdout is not None
    cluster.stdin.write(f"{word}\n")
    cluster.stdin.flush()
    assert cluster.stdout.readline() == "done\n"
