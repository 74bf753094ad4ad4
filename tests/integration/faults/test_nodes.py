"""A node that is lost while a run trains, and how it resumes.

`docs/faults.md` is the table. Each test prints the seconds from the fault to the first line that the run logged after
it (`pytest -rP` shows them).
"""

import time

import pytest

from tests.integration.faults.conftest import Starter
from tests.integration.ray_cluster import RayCluster
from tests.integration.watched_run import WatchedRun

pytestmark = pytest.mark.slow


def test_a_node_is_lost_and_another_comes(start: Starter, undisturbed: WatchedRun, cluster: RayCluster) -> None:
    run = start("node", cluster=cluster)
    run.wait_for_explainer_phase()
    since = time.monotonic()
    cluster.lose_node()
    run.wait_until(lambda: "note: waiting for nodes: scaling.workers=2" in run.output)
    print(f"a node lost: told after {time.monotonic() - since:.0f} s")
    fault = run.fault("a node lost; another added after a while")
    cluster.add_node()
    run.wait_for_recovery(fault)
    run.finish()
    assert run.output.count("note: waiting for nodes") == 1
    run.assert_complete_and_equal_to(undisturbed)
