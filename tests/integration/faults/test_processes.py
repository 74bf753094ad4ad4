"""Processes that are killed while a run trains, and how it goes on.

`docs/faults.md` is the table. Each test prints the seconds from the fault to the first line that the run logged after
it (`pytest -rP` shows them).
"""

import os
import signal
import time

import pytest

from tests.integration.faults.conftest import Starter
from tests.integration.faults.watched_run import WatchedRun

pytestmark = pytest.mark.slow

WORKERS = "ray::RayTrainWorker"
IN_STEPS = ("loader.batch_size=4", "run.checkpoint_steps=1")


def test_one_worker_killed(start: Starter, undisturbed: WatchedRun) -> None:
    run = start("worker")
    run.wait_for_phase_2()
    since = time.monotonic()
    os.kill(run.descendants(WORKERS)[-1], signal.SIGKILL)
    run.wait_for_recovery("a worker killed", since, resumed_before=0)
    run.finish()
    assert [event["phase"] for event in run.events("resumed")] == [2]
    run.assert_complete_and_equal_to(undisturbed)


def test_the_driver_killed(start: Starter, undisturbed: WatchedRun) -> None:
    run = start("driver")
    run.wait_for_phase_2()
    since = time.monotonic()
    assert run.signal(signal.SIGKILL) == -signal.SIGKILL
    run.start()
    run.wait_for_recovery("driver killed, then the same command", since, resumed_before=0)
    run.finish()
    (resumed,) = run.events("resumed")
    assert resumed["phase"] >= 2, run.output  # the workers left behind may have reached phase 3 until they were stopped
    run.assert_complete_and_equal_to(undisturbed)


def test_a_worker_killed_in_the_middle_of_an_epoch(start: Starter) -> None:
    """21 steps an epoch; what is left of the epoch is what an undisturbed run sees, so the weights end the same."""
    whole = start("whole", *IN_STEPS)
    whole.finish()
    run = start("midway", *IN_STEPS)
    run.wait_until(lambda: 2 <= run.steps_of_phase_2() <= 12)
    since = time.monotonic()
    os.kill(run.descendants(WORKERS)[-1], signal.SIGKILL)
    run.wait_for_recovery("a worker killed in the middle of an epoch", since, resumed_before=0)
    run.finish()
    (resumed,) = run.events("resumed")
    assert resumed["phase"] == 2 and resumed["step"] >= 2
    run.assert_complete_and_equal_to(whole)
    for kind in ("train", "val"):
        figures = [[event[kind] for event in each.events("epoch")] for each in (run, whole)]
        assert figures[0] == figures[1], "the interrupted epoch's means count its first steps too"


def test_one_worker_goes_on_where_two_began(start: Starter) -> None:
    run = start("fewer")
    run.wait_for_phase_2()
    since = time.monotonic()
    run.kill_everything()
    run.start("scaling.workers=1")
    run.wait_for_recovery("all killed, then the same command with one worker", since, resumed_before=0)
    run.finish()
    run.assert_complete()
    note = "note: goes on with 1 worker instead of 2; the global batch stays 8, computed in pieces of 4 images, which"
    assert sum(line.startswith(note) for line in run.output.splitlines()) == 1


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
    workers, since = run.descendants(WORKERS), time.monotonic()
    assert len(workers) == 2
    for pid in workers:
        os.kill(pid, signal.SIGKILL)
    run.wait_for_recovery("both workers killed at once", since, resumed_before=0)
    run.finish()
    run.assert_complete_and_equal_to(undisturbed)


def test_no_failures_allowed(start: Starter) -> None:
    run = start("no_more", "scaling.max_failures=0")
    run.wait_for_phase_2()
    os.kill(run.descendants(WORKERS)[0], signal.SIGKILL)
    assert run.process is not None and run.process.wait(timeout=120) == 2, run.output
    last = run.output.splitlines()[-1]
    assert last.startswith("distxml: error: training stopped (1 of the workers died, rank "), last
    assert f"details: {run.folder.failure}; the same command goes on from there" in last
    assert "Traceback" in run.folder.failure.read_text() and "Traceback" not in run.output
