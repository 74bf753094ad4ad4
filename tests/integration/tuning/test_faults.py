"""Sweeps that are disturbed: workers, trials and drivers killed, nodes lost, two sweeps in one store."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from distxml.config.phases import PhaseName
from distxml.tuning.phase_cache.shared import ended
from tests.integration.ray_cluster import RayCluster
from tests.integration.tuning.conftest import Starter
from tests.integration.tuning.watched_sweep import WORKER, WatchedSweep

pytestmark = pytest.mark.slow

LONG = {
    "parameters": {"loss.beta": {"grid": [0.8, 0.9]}, "phases.joint.alpha": {"grid": [0.4, 0.5]}},
    "settings": {"phases.classifier.epochs": 8, "phases.joint.epochs": 6},
}
TWO = LONG | {"parameters": {"loss.beta": {"grid": [0.8, 0.9]}}}


def epochs(sweep: WatchedSweep, number: int) -> int:
    """Of all phases, as far as they are logged."""
    return sum(sweep.figures(number).epochs.values())


def weights(sweep: WatchedSweep, number: int) -> dict[str, torch.Tensor]:
    return load_file(sweep.folder.run(number).checkpoint(PhaseName.JOINT, "last") / "model.safetensors")


def assert_finished_once(sweep: WatchedSweep, trials: int) -> None:
    """All trials are whole; the classifier phase was trained once, the explainer phase twice: there are two β."""
    records = sweep.records
    assert [record.status for record in records] == ["finished"] * trials, sweep.output
    assert [list(record.epochs.values()) for record in records] == [[8, 2, 6]] * trials
    assert sum(PhaseName.CLASSIFIER in record.taken_from for record in records) == trials - 1
    assert sum(PhaseName.EXPLAINER in record.taken_from for record in records) == trials - 2


def test_processes_are_killed(start: Starter) -> None:
    """A trial's worker; the trial that trains what all need, while another waits; then the driver."""
    sweep = start("killed", LONG)
    sweep.wait_until(lambda: "waits for the classifier phase" in sweep.output and sweep.descendants(WORKER) != [])
    holder = next(number for number in (0, 1, 2) if f"trial {number} waits" not in sweep.output)
    sweep.wait_until(lambda: epochs(sweep, holder) >= 1)
    os.kill(sweep.descendants(WORKER)[0], signal.SIGKILL)
    since = time.monotonic()
    sweep.wait_until(lambda: "resumed" in sweep.folder.run(holder).metrics.read_text() and epochs(sweep, holder) >= 2)
    print(f"a trial's worker killed: it continued after {time.monotonic() - since:.0f} s")
    os.kill(_process_of(sweep, holder), signal.SIGKILL)
    since = time.monotonic()
    sweep.wait_until(lambda: any(ended(sweep.folder.run(number), PhaseName.CLASSIFIER) for number in range(3)))
    print(f"the trial that trained the classifier phase killed: it was there after {time.monotonic() - since:.0f} s")
    sweep.wait_until(lambda: any(record.status == "finished" for record in sweep.records))
    finished = {record.number: record for record in sweep.records if record.is_over}
    logs = {number: sweep.folder.run(number).metrics.read_text() for number in finished}
    assert sweep.signal(signal.SIGKILL) == -signal.SIGKILL
    since = time.monotonic()
    sweep.start("--resume")
    sweep.finish()
    print(f"the driver killed: the sweep was over {time.monotonic() - since:.0f} s after --resume")
    assert_finished_once(sweep, 4)
    for number, record in finished.items():
        assert sweep.records[number] == record, "finished trials are not repeated"
        assert sweep.folder.run(number).metrics.read_text() == logs[number]


def _process_of(sweep: WatchedSweep, number: int) -> int:
    """The process that holds a trial's lock."""
    locks = subprocess.run(["lslocks", "-n", "-o", "PID,PATH"], capture_output=True, text=True, check=True).stdout
    name = str(sweep.folder.run(number).lock.resolve())
    return next(int(line.split(None, 1)[0]) for line in locks.splitlines() if line.split(None, 1)[1].strip() == name)


def test_what_interrupts_without_a_kill(start: Starter, place: Path) -> None:
    """The dataset is gone for a while, in which no setting has a part: no trial fails. Then Ctrl-C, then SIGTERM."""
    sweep = start("asked", TWO)
    _the_dataset_is_gone(sweep, place / "data/polygons")
    for number, status in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        before = epochs(sweep, 0)
        sweep.wait_until(lambda: epochs(sweep, 0) > before + 1)  # noqa: B023
        since = time.monotonic()
        assert sweep.signal(number, whole_group=number == signal.SIGINT) == status, sweep.output
        print(f"signal {number}: the sweep had ended after {time.monotonic() - since:.0f} s")
        assert sweep.descendants() == [], "trials, workers and Ray are gone"
        last = "distxml: interrupted; the same command with --resume continues from there: sweep "
        assert sweep.output.splitlines()[-1] == f"{last}{sweep.folder.path}"
        sweep.start("--resume")
    sweep.finish()
    assert [record.status for record in sweep.records] == ["finished"] * 2, sweep.output
    assert [list(record.epochs.values()) for record in sweep.records] == [[8, 2, 6]] * 2
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


def test_two_sweeps_at_once_in_one_store(start: Starter) -> None:
    """Each with a Ray of its own: only the store joins them. What both need is trained by one of them."""
    one = start("one", TWO | {"store": "together"}, "concurrency=1")
    other = start("other", TWO | {"store": "together"}, "concurrency=1")
    one.finish()
    other.finish()
    records = [*one.records, *other.records]
    assert [record.status for record in records] == ["finished"] * 4
    by_phase = [sum(phase not in record.taken_from for record in records) for phase in PhaseName]
    assert by_phase == [1, 2, 2], "the other sweep's trials are identical: nothing is trained twice"
    assert all(torch.equal(value, weights(other, 1)[name]) for name, value in weights(one, 1).items())


def test_a_node_is_lost(start: Starter, cluster: RayCluster) -> None:
    """Trials of two workers each, on two nodes of one CPU; one of the nodes ends, and another comes."""
    sweep = start("node", TWO, "scaling.workers=2", cluster=cluster)
    sweep.wait_until(lambda: any(epochs(sweep, number) >= 3 for number in range(2)))
    cluster.lose_node()
    cluster.add_node()
    sweep.finish()
    assert_finished_once(sweep, 2)
