"""A node that is lost while a run trains, and how it goes on.

`docs/faults.md` is the table. Each test prints the seconds from the fault to the first line that the run logged after
it (`pytest -rP` shows them).
"""

import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from tests.integration.faults.conftest import Starter
from tests.integration.faults.watched_run import WatchedRun

pytestmark = pytest.mark.slow


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
