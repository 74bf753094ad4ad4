"""On a cluster: a node is lost, the disk fills up, and a worker dies where none may.

`docs/faults.md` is the table. The test prints the seconds from the fault to the first line that the run logged after
it (`pytest -rP` shows them).
"""

import os
import shutil
import signal
import time
from pathlib import Path

import pytest

from tests.integration.faults.conftest import Starter, fill_up
from tests.integration.ray_cluster import RayCluster
from tests.integration.watched_process import TRAIN_WORKER
from tests.integration.watched_run import WatchedRun

pytestmark = pytest.mark.slow


def test_one_fault_after_the_other(
    place: Path, start: Starter, undisturbed: WatchedRun, small_disk: Path, cluster: RayCluster
) -> None:
    shutil.copytree(place / "data", small_disk / "data")
    run = start("node", folder=small_disk, cluster=cluster)
    run.wait_for_explainer_phase()
    _a_node_is_lost_and_another_comes(run, cluster)
    _the_disk_fills_up(run, small_disk)
    _a_worker_dies_where_none_may(run)
    run.finish()
    run.assert_complete_and_equal_to(undisturbed)


def _a_node_is_lost_and_another_comes(run: WatchedRun, cluster: RayCluster) -> None:
    since = time.monotonic()
    cluster.lose_node()
    run.wait_until(lambda: "note: waiting for nodes: scaling.workers=2" in run.output)
    print(f"a node lost: told after {time.monotonic() - since:.0f} s")
    fault = run.fault("a node lost; another added after a while")
    cluster.add_node()
    run.wait_for_recovery(fault)
    assert run.output.count("note: waiting for nodes") == 1


def _the_disk_fills_up(run: WatchedRun, disk: Path) -> None:
    run.wait_for_another_epoch()
    fault = run.fault("disk full, space freed, then the same command")
    filler = fill_up(disk)
    run.finish(status=2)
    filler.unlink()
    print(f"disk full: ended after {time.monotonic() - fault.since:.0f} s\n{run.output}")
    assert not run.folder.finished.exists()
    run.start("scaling.max_failures=0")
    run.wait_for_recovery(fault)


def _a_worker_dies_where_none_may(run: WatchedRun) -> None:
    run.wait_for_another_epoch()
    fault, printed = run.fault("no failures allowed, then the same command"), len(run.output)
    os.kill(run.descendants(TRAIN_WORKER)[0], signal.SIGKILL)
    run.finish(status=2)
    last = run.output.splitlines()[-1]
    assert last.startswith("distxml: error: training stopped (1 of the workers died, rank "), last
    assert f"details: {run.folder.failure}; the same command resumes from there" in last
    assert "Traceback" in run.folder.failure.read_text() and "Traceback" not in run.output[printed:]
    run.start()
    run.wait_for_recovery(fault)
