"""Processes that are killed while a run trains, and how it resumes.

`docs/faults.md` is the table. Each test prints the seconds from the fault to the first line that the run logged after
it (`pytest -rP` shows them).
"""

import os
import signal

import pytest

from distxml.config.phases import PhaseName
from distxml.models.checkpoint import load_model
from tests.integration.faults.conftest import Starter
from tests.integration.ray_cluster import RayCluster
from tests.integration.watched_run import WatchedRun

pytestmark = pytest.mark.slow

WORKERS = "ray::RayTrainWorker"


@pytest.mark.timeout(2400)
def test_one_fault_after_the_other(start: Starter, undisturbed: WatchedRun) -> None:
    """One run, with a Ray of its own in each start; the last fault may let it train on, so it comes last."""
    run = start("disturbed")
    _both_workers_are_killed(run)
    _ctrl_c(run)
    _sigterm(run)
    _power_cut_that_spoils_a_file(run)
    _driver_is_killed(run)
    run.finish()
    run.assert_complete_and_equal_to(undisturbed)


def _both_workers_are_killed(run: WatchedRun) -> None:
    run.wait_for_explainer_phase()
    workers, fault = run.descendants(WORKERS), run.fault("both workers killed at once")
    assert len(workers) == 2
    for pid in workers:
        os.kill(pid, signal.SIGKILL)
    run.wait_for_recovery(fault)
    assert [event["phase"] for event in run.events("resumed")] == [PhaseName.EXPLAINER]


def _ctrl_c(run: WatchedRun) -> None:
    run.wait_for_another_epoch()
    fault = run.fault("Ctrl-C, then the same command")
    assert run.signal(signal.SIGINT, whole_group=True) == 130  # as a terminal sends it
    assert run.descendants() == [], "workers and Ray are gone"
    assert run.output.splitlines()[-1].startswith("distxml: interrupted; the same command resumes from there: run ")
    run.start()
    run.wait_for_recovery(fault)


def _sigterm(run: WatchedRun) -> None:
    run.wait_for_another_epoch()
    fault = run.fault("SIGTERM, then the same command")
    assert run.signal(signal.SIGTERM) == 143
    assert run.descendants() == []
    assert run.output.count("distxml: interrupted; ") == 2
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


def test_a_worker_killed_in_the_middle_of_an_epoch(
    start: Starter, undisturbed: WatchedRun, cluster: RayCluster
) -> None:
    """What is left of the epoch is what an undisturbed run sees, so the weights end the same."""
    run = start("midway", "run.checkpoint_steps=1", cluster=cluster)
    run.wait_until(lambda: 2 <= run.steps_of_explainer_phase() <= 12)
    fault = run.fault("a worker killed in the middle of an epoch")
    os.kill(run.descendants(WORKERS)[-1], signal.SIGKILL)
    run.wait_for_recovery(fault)
    run.finish()
    (resumed,) = run.events("resumed")
    assert resumed["phase"] == PhaseName.EXPLAINER and resumed["step"] >= 2
    run.assert_complete_and_equal_to(undisturbed)
    for kind in ("train", "val"):
        figures = [[event[kind] for event in each.events("epoch")] for each in (run, undisturbed)]
        assert figures[0] == figures[1], "the interrupted epoch's means count its first steps too"


def test_no_failures_allowed_then_one_worker_instead_of_two(start: Starter, cluster: RayCluster) -> None:
    run = start("no_more", "scaling.max_failures=0", cluster=cluster)
    run.wait_for_explainer_phase()
    os.kill(run.descendants(WORKERS)[0], signal.SIGKILL)
    run.finish(status=2)
    last = run.output.splitlines()[-1]
    assert last.startswith("distxml: error: training stopped (1 of the workers died, rank "), last
    assert f"details: {run.folder.failure}; the same command resumes from there" in last
    assert "Traceback" in run.folder.failure.read_text() and "Traceback" not in run.output
    fault = run.fault("stopped, then the same command with one worker")
    run.start("scaling.workers=1")
    run.wait_for_recovery(fault)
    run.finish()
    run.assert_complete()
    note = "note: resumes with 1 worker instead of 2; the global batch stays 4, computed in micro-batches of 2 images,"
    assert sum(line.startswith(note) for line in run.output.splitlines()) == 1
