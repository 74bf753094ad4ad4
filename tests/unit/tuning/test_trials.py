"""What the trial manager makes of a trial's end."""

from pathlib import Path

import pytest

from distxml.config.phases import PhaseName
from distxml.tuning.leaderboard import Leaderboard
from distxml.tuning.objective import Objective
from distxml.tuning.plan import NoTrial, SweepPlan
from distxml.tuning.records import SweepFolder
from distxml.tuning.trials import TrialManager
from tests.unit.tuning.small_sweep import base_recipe, small_sweep


@pytest.fixture
def manager(tmp_path: Path) -> TrialManager:
    sweep, base = small_sweep(), base_recipe(tmp_path)
    return TrialManager(
        SweepFolder(tmp_path / "sweep"), base, SweepPlan(sweep, base, []), Leaderboard(Objective(sweep.objective), 6)
    )


def test_a_trial_that_a_full_disk_stopped_waits_and_the_sweep_ends(manager: TrialManager) -> None:
    numbers = [manager.next() for _ in range(3)]
    assert numbers == [0, 1, 2]
    manager.end(0, {"outcome": "finished"})
    manager.end(1, {"outcome": "infrastructure", "reason": "run 0001: cannot be written (No space left on device)"})
    assert manager.infrastructure_failure == "run 0001: cannot be written (No space left on device)"
    assert manager.next() is NoTrial.OVER, "no trial is begun that would end the same way"
    manager.end(2, {"phase": PhaseName.EXPLAINER, "epoch": 3})  # Ray Tune ends what still runs
    assert [record.status for record in manager.folder.load()] == ["finished", "running", "running"]
    again = TrialManager(
        manager.folder,
        manager.base,
        SweepPlan(manager.plan.sweep, manager.base, manager.folder.load()),
        manager.display,
    )
    assert [again.next(), again.next(), again.next()] == [1, 2, 3], "they continue first"


def test_a_trial_whose_settings_are_at_fault_fails_and_the_search_continues(manager: TrialManager) -> None:
    assert manager.next() == 0
    manager.end(0, {"outcome": "failed", "reason": "phase 2, explainer: the heatmap stays white"})
    (record,) = manager.folder.load()
    assert (record.status, record.reason) == ("failed", "phase 2, explainer: the heatmap stays white")
    assert manager.next() == 1 and not manager.infrastructure_failure


def test_a_trial_whose_process_is_lost_too_often_fails(manager: TrialManager) -> None:
    assert manager.next() == 0
    manager.end(0, None)
    assert manager.folder.load()[0].reason == "its process was lost more than 2 times: killed, or out of memory"
