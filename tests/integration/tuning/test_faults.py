"""Sweeps that are disturbed: workers, trials and drivers killed, data gone, signals, two sweeps in one store."""

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from distxml.config.phases import PhaseName
from distxml.tuning.phase_cache.shared import ended
from tests.integration.tuning.conftest import Starter
from tests.integration.tuning.watched_sweep import WatchedSweep
from tests.integration.watched_process import TRAIN_WORKER

pytestmark = pytest.mark.slow

LONG: dict[str, Any] = {"settings": {"phases.classifier.epochs": 8, "phases.joint.epochs": 6}}
THREE = LONG | {"parameters": {"phases.joint.alpha": {"grid": [0.4, 0.5, 0.6]}}}
TWO = LONG | {"parameters": {"loss.beta": {"grid": [0.8, 0.9]}}, "store": "together"}


def epochs(sweep: WatchedSweep, number: int) -> int:
    """Of all phases, as far as they are logged."""
    return sum(sweep.figures(number).epochs.values())


def weights(sweep: WatchedSweep, number: int) -> dict[str, torch.Tensor]:
    return load_file(sweep.folder.run(number).checkpoint(PhaseName.JOINT, "last") / "model.safetensors")


def assert_finished(*sweeps: WatchedSweep, times_trained: tuple[int, int, int]) -> None:
    """All trials are whole; how often each phase was trained for all of them together."""
    records = [record for sweep in sweeps for record in sweep.records]
    assert {record.status for record in records} == {"finished"}, sweeps[0].output
    assert all(list(record.epochs.values()) == [8, 2, 6] for record in records)
    assert tuple(sum(phase not in record.taken_from for record in records) for phase in PhaseName) == times_trained


def test_processes_are_killed(start: Starter) -> None:
    """A trial's worker; the trial that trains what all need, while another waits; then the driver."""
    sweep = start("killed", THREE)
    sweep.wait_until(lambda: " waits for the " in sweep.output and sweep.descendants(TRAIN_WORKER) != [])
    holder = next(number for number in (0, 1, 2) if f"trial {number} waits" not in sweep.output)
    sweep.wait_until(lambda: epochs(sweep, holder) >= 1)
    os.kill(sweep.descendants(TRAIN_WORKER)[0], signal.SIGKILL)
    since = time.monotonic()
    sweep.wait_until(lambda: "resumed" in sweep.folder.run(holder).metrics.read_text() and epochs(sweep, holder) >= 2)
    print(f"a trial's worker killed: it continued after {time.monotonic() - since:.0f} s")
    os.kill(_process_of(sweep, holder), signal.SIGKILL)
    since = time.monotonic()
    sweep.wait_until(lambda: any(ended(sweep.folder.run(number), PhaseName.EXPLAINER) for number in range(3)))
    print(f"the trial that trained what all need killed: it was there after {time.monotonic() - since:.0f} s")
    sweep.wait_until(lambda: any(record.status == "finished" for record in sweep.records))
    finished = {record.number: record for record in sweep.records if record.is_over}
    logs = {number: sweep.folder.run(number).metrics.read_text() for number in finished}
    assert sweep.signal(signal.SIGKILL) == -signal.SIGKILL
    since = time.monotonic()
    sweep.start("--resume")
    sweep.finish()
    print(f"the driver killed: the sweep was over {time.monotonic() - since:.0f} s after --resume")
    assert_finished(sweep, times_trained=(1, 1, 3))
    for number, record in finished.items():
        assert sweep.records[number] == record, "finished trials are not repeated"
        assert sweep.folder.run(number).metrics.read_text() == logs[number]


def _process_of(sweep: WatchedSweep, number: int) -> int:
    """The process that holds a trial's lock."""
    locks = subprocess.run(["lslocks", "-n", "-o", "PID,PATH"], capture_output=True, text=True, check=True).stdout
    name = str(sweep.folder.run(number).lock.resolve())
    return next(int(line.split(None, 1)[0]) for line in locks.splitlines() if line.split(None, 1)[1].strip() == name)


def test_what_interrupts_without_a_kill(start: Starter, place: Path) -> None:
    """The dataset is gone for a while, in which no setting has a part: no trial fails. Then Ctrl-C.

    Then another sweep with a Ray of its own: only the store joins them. What both need is trained by one of them.
    """
    sweep = start("asked", TWO, "concurrency=1")
    _the_dataset_is_gone(sweep, place / "data/polygons")
    sweep.wait_until(lambda: epochs(sweep, 1) >= 1)
    since = time.monotonic()
    assert sweep.signal(signal.SIGINT, whole_group=True) == 130, sweep.output
    print(f"Ctrl-C: the sweep had ended after {time.monotonic() - since:.0f} s")
    assert sweep.descendants() == [], "trials, workers and Ray are gone"
    last = "distxml: interrupted; the same command with --resume continues from there: sweep "
    assert sweep.output.splitlines()[-1] == f"{last}{sweep.folder.path}"
    sweep.start("--resume")
    other = start("other", TWO, "concurrency=1")
    sweep.finish()
    other.finish()
    assert_finished(sweep, other, times_trained=(1, 2, 2))
    assert all(torch.equal(value, weights(other, 1)[name]) for name, value in weights(sweep, 1).items())
    assert "Traceback" not in sweep.output


def _the_dataset_is_gone(sweep: WatchedSweep, data: Path) -> None:
    sweep.wait_until(lambda: epochs(sweep, 0) >= 1)
    elsewhere = data.with_name("moved")
    data.rename(elsewhere)
    try:
        sweep.finish(status=2)
    finally:
        elsewhere.rename(data)
    last = sweep.output.splitlines()[-1]
    assert last.startswith("distxml: error: ") and str(data) in last
    assert last.endswith("the trials wait: the same command with --resume continues them")
    statuses = {record.status for record in sweep.records}
    assert "running" in statuses and "failed" not in statuses
    sweep.start("--resume")
