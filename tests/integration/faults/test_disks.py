"""A disk that fills up while a run trains, and how it resumes; a spoilt file is in `test_processes.py`.

`docs/faults.md` is the table. The test prints the seconds from the fault to the first line that the run logged after
it (`pytest -rP` shows them).
"""

import shutil
import time
from pathlib import Path

import pytest

from tests.integration.faults.conftest import Starter, fill_up
from tests.integration.ray_cluster import RayCluster
from tests.integration.watched_run import WatchedRun

pytestmark = pytest.mark.slow


def test_disk_full_while_saving(
    place: Path, start: Starter, undisturbed: WatchedRun, small_disk: Path, cluster: RayCluster
) -> None:
    shutil.copytree(place / "data", small_disk / "data")
    run = start("full", folder=small_disk, cluster=cluster)
    run.wait_for_explainer_phase()
    fault = run.fault("disk full, space freed, then the same command")
    filler = fill_up(small_disk)
    run.finish(status=2)
    filler.unlink()
    print(f"disk full: ended after {time.monotonic() - fault.since:.0f} s\n{run.output}")
    assert not run.folder.finished.exists()
    run.start()
    run.wait_for_recovery(fault)
    run.finish()
    run.assert_complete_and_equal_to(undisturbed)
