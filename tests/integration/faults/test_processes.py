"""Processes that are killed while a run trains, and how it resumes.

`docs/faults.md` is the table. Each test prints the seconds from the fault to the first line that the run logged after
it (`pytest -rP` shows them). SIGTERM, which is heard where Ctrl-C is, comes to an evaluation (`test_evaluation.py`).
"""

import os
import shutil
import signal
from pathlib import Path

import pytest

from distxml.config.phases import PhaseName
from distxml.models.checkpoint import load_model
from tests.integration.faults.conftest import Starter
from tests.integration.ray_cluster import RayCluster
from tests.integration.watched_process import TRAIN_WORKER
from tests.integration.watched_run import WatchedRun

pytestmark = pytest.mark.slow


def test_one_fault_after_the_other(start: Starter, undisturbed: WatchedRun, cluster: RayCluster) -> None:
    """One run, with a Ray of its own in each start; the last fault may let it train on, so it comes last.

    Meanwhile another Ray is noted on this machine, and the run goes on in peace: it resumes after faults alone.
    """
    assert cluster.whole
    run = start("disturbed", "run.checkpoint_steps=1")
    _a_worker_is_killed_in_the_middle_of_an_epoch(run)
    _both_workers_are_killed(run)
    _ctrl_c(run)
    _power_cut_that_spoils_a_file(run)
    _driver_is_killed(run)
    run.finish()
    run.assert_complete_and_equal_to(undisturbed)
    for kind in ("train", "val"):
        figures = [[event[kind] for event in each.events("epoch")] for each in (run, undisturbed)]
        assert figures[0] == figures[1], "an interrupted epoch's means count its first steps too"


def _a_worker_is_killed_in_the_middle_of_an_epoch(run: WatchedRun) -> None:
    """What is left of the epoch is what an undisturbed run sees."""
    run.wait_until(lambda: 2 <= run.steps_of_explainer_phase() <= 12)
    workers, fault = run.descendants(TRAIN_WORKER), run.fault("a worker killed in the middle of an epoch")
    assert len(workers) == 2
    os.kill(workers[-1], signal.SIGKILL)
    run.wait_for_recovery(fault)
    (resumed,) = run.events("resumed")
    assert resumed["phase"] == PhaseName.EXPLAINER and resumed["step"] >= 2


def _both_workers_are_killed(run: WatchedRun) -> None:
    run.wait_for_another_epoch()
    workers, fault = run.descendants(TRAIN_WORKER), run.fault("both workers killed at once")
    assert len(workers) == 2
    for pid in workers:
        os.kill(pid, signal.SIGKILL)
    run.wait_for_recovery(fault)
    assert [event["phase"] for event in run.events("resumed")] == [PhaseName.EXPLAINER] * 2


def _ctrl_c(run: WatchedRun) -> None:
    run.wait_for_another_epoch()
    fault = run.fault("Ctrl-C, then the same command")
    assert run.signal(signal.SIGINT, whole_group=True) == 130  # as a terminal sends it
    assert run.descendants() == [], "workers and Ray are gone"
    assert run.output.splitlines()[-1].startswith("distxml: interrupted; the same command resumes from there: run ")
    run.settings = ()  # from here on it saves once per epoch, so that the next kill finds a checkpoint whole
    run.start()
    run.wait_for_recovery(fault)


def _power_cut_that_spoils_a_file(run: WatchedRun) -> None:
    run.wait_for_another_epoch()
    fault = run.fault("driver, Ray and workers killed at once, a checkpoint truncated, then the same command")
    run.kill_everything()
    last = run.folder.checkpoint(PhaseName.EXPLAINER, "last")
    load_model(last)  # the kill left it whole; now the disk
    weights = last / "model.safetensors"
    os.truncate(weights, weights.stat().st_size // 2)
    run.start()
    run.wait_for_recovery(fault)
    (notice,) = [event["message"] for event in run.events("notice") if "skipped" in event["message"]]
    assert str(last) in notice
    run.wait_until(lambda: f"note: {notice}" in run.output.splitlines())


def _driver_is_killed(run: WatchedRun) -> None:
    run.wait_for_another_epoch()
    fault = run.fault("driver killed, then the same command")
    assert run.signal(signal.SIGKILL) == -signal.SIGKILL
    run.start()
    run.wait_for_recovery(fault)
    # The workers that it left behind may have reached the last phase before they were stopped.
    assert run.events("resumed")[-1]["phase"] in (PhaseName.EXPLAINER, PhaseName.JOINT), run.output


def test_one_worker_instead_of_two(undisturbed: WatchedRun, place: Path, cluster: RayCluster) -> None:
    """A copy of the run as it was before its joint phase."""
    run = WatchedRun(place, undisturbed.name, cluster=cluster)
    shutil.copytree(undisturbed.folder.path, run.folder.path)
    shutil.rmtree(run.folder.checkpoint(PhaseName.JOINT, "last").parent)
    run.folder.finished.unlink()
    fault = run.fault("the same command with one worker")
    run.start("scaling.workers=1")
    run.wait_for_recovery(fault)
    run.finish()
    run.assert_complete()
    note = "note: resumes with 1 worker instead of 2; the global batch stays 4, computed in micro-batches of 2 images,"
    assert sum(line.startswith(note) for line in run.output.splitlines()) == 1
