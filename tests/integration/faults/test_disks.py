"""Disks that fill up or spoil files while a run trains, and how it goes on.

`docs/faults.md` is the table. Each test prints the seconds from the fault to the first line that the run logged after
it (`pytest -rP` shows them).
"""

import os
import shutil
import time
from pathlib import Path

import pytest

from distxml.models.checkpoint import load_model
from tests.integration.faults.conftest import Starter, fill_up
from tests.integration.faults.watched_run import WatchedRun

pytestmark = pytest.mark.slow


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


def test_disk_full_while_saving(place: Path, start: Starter, undisturbed: WatchedRun, small_disk: Path) -> None:
    shutil.copytree(place / "data", small_disk / "data")
    run = start("full", folder=small_disk)
    run.wait_for_phase_2()
    filler = fill_up(small_disk)
    since = time.monotonic()
    assert run.process is not None and run.process.wait(timeout=150) == 2
    filler.unlink()
    print(f"disk full: ended after {time.monotonic() - since:.0f} s\n{run.output}")
    assert not run.folder.finished.exists()
    run.start()
    run.wait_for_recovery("disk full, space freed, then the same command", since, resumed_before=0)
    run.finish()
    run.assert_complete_and_equal_to(undisturbed)
