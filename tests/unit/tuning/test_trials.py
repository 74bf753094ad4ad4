"""What becomes of trials at the driver's desk."""

from pathlib import Path

import pytest

from distxml.tuning.leaderboard import Leaderboard
from distxml.tuning.objective import Objective
from distxml.tuning.plan import Plan, Turn
from distxml.tuning.records import SweepFolder
from distxml.tuning.trials import TrialManager
from tests.unit.tuning.small_sweep import base_recipe, small_sweep


@pytest.fixture
def desk(tmp_path: Path) -> TrialManager:
    sweep, base = small_sweep(), base_recipe(tmp_path)
    return TrialManager(
        SweepFolder(tmp_path / "sweep"), base, Plan(sweep, base, []), Leaderboard(Objective(sweep.objective), 6)
    )


def test_a_trial_that_a_full_disk_stopped_waits_and_the_sweep_ends(desk: TrialManager) -> None:
    numbers = [desk.next() for _ in range(3)]
    assert numbers == [0, 1, 2]
    desk.end(0, {"outcome": "finished"})
    desk.end(1, {"outcome": "outside", "reason": "run 0001: cannot be written (No space left on device)"})
    assert desk.outside == "run 0001: cannot be written (No space left on device)"
    assert desk.next() is Turn.OVER, "no trial is begun that would end the same way"
    desk.end(2, {"phase": 2, "epoch": 3})  # Ray Tune ends what still runs
    assert [record.status for record in desk.folder.load()] == ["finished", "running", "running"]
    again = TrialManager(desk.folder, desk.base, Plan(desk.plan.sweep, desk.base, desk.folder.load()), desk.display)
    assert [again.next(), again.next(), again.next()] == [1, 2, 3], "they go on first"


def test_a_trial_whose_settings_are_at_fault_fails_and_the_search_goes_on(desk: TrialManager) -> None:
    assert desk.next() == 0
    desk.end(0, {"outcome": "failed", "reason": "phase 2: the heatmap stays white"})
    (record,) = desk.folder.load()
    assert (record.status, record.reason) == ("failed", "phase 2: the heatmap stays white")
    assert desk.next() == 1 and not desk.outside


def test_a_trial_whose_process_is_lost_too_often_fails(desk: TrialManager) -> None:
    assert desk.next() == 0
    desk.end(0, None)
    assert desk.folder.load()[0].reason == "its process was lost more than 2 times: killed, or out of memory"
