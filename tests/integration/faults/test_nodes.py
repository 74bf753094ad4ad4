"""A node that is lost while a run trains, and how it goes on.

`docs/faults.md` is the table. Each test prints the seconds from the fault to the first line that the run logged after
it (`pytest -rP` shows them).
"""

import subprocess
import time

import pytest

from tests.integration.faults.conftest import Starter, tell
from tests.integration.faults.watched_run import WatchedRun

pytestmark = pytest.mark.slow


def test_a_node_is_lost_and_another_comes(
    start: Starter, undisturbed: WatchedRun, cluster: subprocess.Popen[str]
) -> None:
    assert cluster.stdout is not None
    address = cluster.stdout.readline().strip()
    run = start("node", RAY_ADDRESS=address)
    run.wait_for_phase_2()
    since = time.monotonic()
    tell(cluster, "lose")
    run.wait_until(lambda: "note: waiting for nodes: scaling.workers=2" in run.output)
    print(f"a node lost: told after {time.monotonic() - since:.0f} s")
    since = time.monotonic()
    tell(cluster, "add")
    run.wait_for_recovery("a node lost; another added after a while", since, resumed_before=0)
    run.finish()
    assert run.output.count("note: waiting for nodes") == 1
    run.assert_complete_and_equal_to(undisturbed)
