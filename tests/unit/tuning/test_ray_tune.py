"""ASHA counts epochs of the joint phase, knows trials by their numbers, and remembers earlier ones."""

import json
from pathlib import Path

import pytest
from ray.tune.schedulers import TrialScheduler

from distxml.config.phases import PhaseName
from distxml.tuning.leaderboard import Leaderboard
from distxml.tuning.objective import Objective
from distxml.tuning.plan import SweepPlan
from distxml.tuning.ray_tune import Asha
from distxml.tuning.records import SweepFolder, TrialRecord
from distxml.tuning.trials import TrialManager
from tests.unit.tuning.small_sweep import base_recipe, small_sweep

STOP, CONTINUE = TrialScheduler.STOP, TrialScheduler.CONTINUE
SWEEP = small_sweep(scheduler={"kind": "asha", "grace": 2, "factor": 2})


class Trial:
    """What Ray Tune gives the scheduler, as far as it looks."""

    def __init__(self, number: int, start: int = 0) -> None:
        self.config = {"number": number}
        self.trial_id = f"{number}-{start}"


@pytest.fixture
def folder(tmp_path: Path) -> SweepFolder:
    return SweepFolder(tmp_path / "sweep")


def asha(folder: SweepFolder, tmp_path: Path, records: list[TrialRecord]) -> Asha:
    base = base_recipe(tmp_path, "phases.joint.epochs=8")
    return Asha(
        TrialManager(folder, base, SweepPlan(SWEEP, base, records), Leaderboard(Objective(SWEEP.objective), None)),
        SWEEP,
    )


def report(scheduler: Asha, trial: Trial, epoch: int, score: float, last: int = 8) -> str:
    result = {"joint_epoch": epoch, "score": score, "is_last": epoch == last}
    return scheduler.on_trial_result(None, trial, result)


def test_only_epochs_of_the_joint_phase_count(folder: SweepFolder, tmp_path: Path) -> None:
    scheduler = asha(folder, tmp_path, [])
    trials = [Trial(number) for number in range(3)]
    for trial in trials:
        scheduler.on_trial_add(None, trial)
        for epoch in range(30):
            result = {"phase": PhaseName.CLASSIFIER, "epoch": epoch, "training_iteration": epoch}
            assert scheduler.on_trial_result(None, trial, result) == CONTINUE
    assert report(scheduler, trials[0], 1, 0.1) == CONTINUE
    assert report(scheduler, trials[0], 2, 0.5) == CONTINUE
    assert report(scheduler, trials[1], 2, 0.9) == CONTINUE
    assert report(scheduler, trials[2], 1, 0.0) == CONTINUE, "not before the grace period"
    assert report(scheduler, trials[2], 2, 0.1) == STOP
    ended = {"outcome": "finished", "score": 0.0, "joint_epoch": 8}
    assert scheduler.on_trial_result(None, trials[1], ended) == CONTINUE


def test_the_last_epoch_is_not_cut_off(folder: SweepFolder, tmp_path: Path) -> None:
    scheduler = asha(folder, tmp_path, [])
    trial = Trial(0)
    scheduler.on_trial_add(None, trial)
    assert [report(scheduler, trial, epoch, 0.5) for epoch in range(1, 9)] == [CONTINUE] * 8


def log(folder: SweepFolder, number: int, accuracies: list[float]) -> None:
    """Epochs of the joint phase, as a trial's run logs them."""
    path = folder.run(number).metrics
    path.parent.mkdir(parents=True)
    with path.open("w") as file:
        for epoch, accuracy in enumerate(accuracies, start=1):
            line = {"event": "epoch", "phase": PhaseName.JOINT, "epoch": epoch, "global_epoch": epoch, "seconds": 1}
            file.write(json.dumps(line | {"val": {"accuracy": accuracy}}) + "\n")


def test_a_trial_that_took_its_last_phase_whole_is_compared_epoch_by_epoch(folder: SweepFolder, tmp_path: Path) -> None:
    scheduler = asha(folder, tmp_path, [])
    taker, other = Trial(0), Trial(1)
    for trial in (taker, other):
        scheduler.on_trial_add(None, trial)
    log(folder, 0, [0.1] * 7 + [0.9])  # it ends well, but was bad at epoch 2 and 4
    result = {"outcome": "finished", "joint_epoch": 8, "score": 0.9}
    assert scheduler.on_trial_result(None, taker, result) == CONTINUE
    scheduler.on_trial_complete(None, taker, result)
    assert [report(scheduler, other, epoch, 0.3) for epoch in (2, 4)] == [CONTINUE, CONTINUE]


def test_a_trial_at_its_last_epoch_is_whole_however_bad(folder: SweepFolder, tmp_path: Path) -> None:
    scheduler = asha(folder, tmp_path, [])  # rungs at 2, 4 and 8, the last epoch
    trials = [Trial(number) for number in range(3)]
    for trial in trials:
        scheduler.on_trial_add(None, trial)
    assert [report(scheduler, trial, 8, score) for trial, score in zip(trials, (0.9, 0.8, 0.1), strict=True)] == [
        CONTINUE
    ] * 3
    short = Trial(3)  # phases.joint.epochs may be searched
    scheduler.on_trial_add(None, short)
    assert report(scheduler, short, 4, 0.0, last=4) == CONTINUE


def test_what_was_reported_before_an_interruption_is_known(folder: SweepFolder, tmp_path: Path) -> None:
    records = [TrialRecord(number=0, settings={}, status="finished"), TrialRecord(number=1, settings={})]
    for record, accuracy in zip(records, (0.9, 0.8), strict=True):
        log(folder, record.number, [accuracy] * 3)
    scheduler = asha(folder, tmp_path, records)
    again, new = Trial(1, start=2), Trial(2)
    scheduler.on_trial_add(None, again)
    scheduler.on_trial_add(None, new)
    assert report(scheduler, again, 3, 0.0) == CONTINUE, "it has passed this rung before"
    assert report(scheduler, new, 2, 0.7) == STOP
