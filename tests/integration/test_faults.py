"""What is killed or broken while a run trains, and how it goes on; `docs/faults.md` is the table.

Each test prints the seconds from the fault to the first line that the run logged after it (`pytest -rP` shows them).
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from distxml.models.checkpoint import load_model
from tests.integration.command import distxml
from tests.integration.faults.watched_run import WatchedRun

pytestmark = pytest.mark.slow

TWO_WORKERS = ("scaling.workers=2",)
Starter = Callable[..., WatchedRun]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds a small dataset."""
    folder = tmp_path_factory.mktemp("faults")
    built = distxml(
        "data", "build", "polygons", "data/polygons", "source.images=120", "source.image_size=16", cwd=folder
    )
    assert built.returncode == 0, built.stderr
    return folder


@pytest.fixture
def start(place: Path) -> Iterator[Starter]:
    """Starts runs; what a failed test leaves of them is killed."""
    started: list[WatchedRun] = []

    def start_run(name: str, *settings: str, folder: Path = place, **environment: str) -> WatchedRun:
        run = WatchedRun(folder, name, (*TWO_WORKERS, *settings), environment)
        started.append(run)
        run.start()
        return run

    yield start_run
    for run in started:
        run.kill_everything()


@pytest.fixture(scope="module")
def undisturbed(place: Path) -> WatchedRun:
    run = WatchedRun(place, "undisturbed", TWO_WORKERS)
    run.start()
    run.finish()
    return run


def test_ctrl_c_then_sigterm_then_a_power_cut(start: Starter, undisturbed: WatchedRun) -> None:
    run = start("stopped")
    run.wait_for_phase_2()
    since = time.monotonic()
    assert run.signal(signal.SIGINT, whole_group=True) == 130  # as a terminal sends it
    assert run.descendants() == [], "workers and Ray are gone"
    assert run.output.splitlines()[-1].startswith("distxml: interrupted; the same command goes on from there: run ")
    run.start()
    run.wait_for_recovery("Ctrl-C, then the same command", since, resumed_before=0)
    run.wait_for_phase_2(epoch=4)
    since = time.monotonic()
    assert run.signal(signal.SIGTERM) == 143
    assert run.descendants() == []
    assert run.output.count("distxml: interrupted; ") == 2
    run.start()
    run.wait_for_recovery("SIGTERM, then the same command", since, resumed_before=1)
    run.wait_for_phase_2(epoch=6)
    since = time.monotonic()
    run.kill_everything()
    run.start()
    run.wait_for_recovery("driver, Ray and workers killed at once, then the same command", since, resumed_before=2)
    run.finish()
    run.assert_complete_and_equal_to(undisturbed)


def test_both_workers_killed_at_once(start: Starter, undisturbed: WatchedRun) -> None:
    run = start("both")
    run.wait_for_phase_2()
    workers, since = run.descendants("ray::RayTrainWorker"), time.monotonic()
    assert len(workers) == 2
    for pid in workers:
        os.kill(pid, signal.SIGKILL)
    run.wait_for_recovery("both workers killed at once", since, resumed_before=0)
    run.finish()
    run.assert_complete_and_equal_to(undisturbed)


def test_no_failures_allowed(start: Starter) -> None:
    run = start("no_more", "scaling.max_failures=0")
    run.wait_for_phase_2()
    os.kill(run.descendants("ray::RayTrainWorker")[0], signal.SIGKILL)
    assert run.process is not None and run.process.wait(timeout=120) == 2, run.output
    last = run.output.splitlines()[-1]
    assert last.startswith("distxml: error: training stopped (1 of the workers died, rank "), last
    assert f"details: {run.folder.failure}; the same command goes on from there" in last
    assert "Traceback" in run.folder.failure.read_text() and "Traceback" not in run.output


def test_truncated_newest_checkpoint(start: Starter, undisturbed: WatchedRun) -> None:
    run = start("truncated")
    run.wait_for_phase_2(epoch=3)
    run.kill_everything()
    last = run.folder.checkpoint(2, "last")
    load_model(last)  # the kill left it whole; now the disk
    weights = last / "model.safetensors"
    os.truncate(weights, weights.stat().st_size // 2)
    since = time.monotonic()
    run.start()
    run.wait_for_recovery("newest checkpoint truncated, then the same command", since, resumed_before=0)
    (notice,) = [event["message"] for event in run.events("notice") if "skipped" in event["message"]]
    assert str(last) in notice
    run.finish()
    assert f"note: {notice}" in run.output.splitlines()
    run.assert_complete_and_equal_to(undisturbed)


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


def test_disk_full_while_saving(place: Path, start: Starter, undisturbed: WatchedRun, small_disk: Path) -> None:
    shutil.copytree(place / "data", small_disk / "data")
    run = start("full", folder=small_disk)
    run.wait_for_phase_2()
    filler = small_disk / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            pass  # full
    since = time.monotonic()
    assert run.process is not None and run.process.wait(timeout=150) == 2
    filler.unlink()
    print(f"disk full: ended after {time.monotonic() - since:.0f} s\n{run.output}")
    assert not run.folder.finished.exists()
    run.start()
    run.wait_for_recovery("disk full, space freed, then the same command", since, resumed_before=0)
    run.finish()
    run.assert_complete_and_equal_to(undisturbed)


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


def test_a_node_is_lost_and_another_comes(place: Path, undisturbed: WatchedRun, cluster: subprocess.Popen[str]) -> None:
    assert cluster.stdout is not None
    address = cluster.stdout.readline().strip()
    run = start("node", RAY_ADDRESS=address)
    run.wait_for_phase_2()
    since = time.monotonic()
    tell(cluster, "lose")
    tell(cluster, "add")
    run.wait_for_recovery("a node lost, another added", since, resumed_before=0)
    run.finish()
    run.assert_complete_and_equal_to(undisturbed)
