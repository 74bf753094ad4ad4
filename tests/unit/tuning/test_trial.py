"""What a trial reports when it ends; `train` is replaced, everything else is real."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from ray.exceptions import RayError

from distxml.config import Recipe
from distxml.data.schema import open_dataset
from distxml.errors import InfrastructureError, UnrecoverableError, UserError
from distxml.training.driver import TrainHooks
from distxml.tuning import trial
from distxml.tuning.records import SweepFolder, TrialRecord
from distxml.tuning.trial import TrialRun
from tests.small_dataset import noise_row, write_dataset
from tests.unit.training.small_training import KeptEvents, small_trainer
from tests.unit.tuning.small_sweep import base_recipe, small_sweep


@pytest.fixture
def folder(tmp_path: Path) -> SweepFolder:
    made = SweepFolder(tmp_path / "sweep")
    made.path.mkdir()
    sweep = small_sweep(name="sweep", folder=tmp_path, store=tmp_path / "store")
    made.config.write_text(sweep.model_dump_json(exclude_unset=True))
    made.base.write_text(base_recipe(tmp_path).model_dump_json())
    made.save(TrialRecord(number=0, settings={"loss.beta": 0.7}))
    return made


def run(folder: SweepFolder) -> list[dict[str, Any]]:
    """What is reported."""
    said: list[dict[str, Any]] = []
    TrialRun(folder, 0, said.append).go()
    return said


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (UnrecoverableError("the heatmap stays white"), "failed"),
        (UserError("training stopped"), "failed"),
        (InfrastructureError("the disk is full"), "infrastructure"),
    ],
)
def test_how_it_ended(folder: SweepFolder, monkeypatch: pytest.MonkeyPatch, error: UserError, outcome: str) -> None:
    def train(recipe: Recipe, hooks: TrainHooks) -> None:
        raise error

    monkeypatch.setattr(trial, "train", train)
    assert run(folder) == [{"number": 0, "outcome": outcome, "reason": str(error)}]


def test_a_bug_is_named_also_where_the_run_has_not_begun(folder: SweepFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    def train(recipe: Recipe, hooks: TrainHooks) -> None:
        raise ValueError("not\n  so")

    monkeypatch.setattr(trial, "train", train)
    assert run(folder) == [{"number": 0, "outcome": "failed", "reason": "ValueError: not so"}]
    folder.run(0).path.mkdir(parents=True)
    (report,) = run(folder)
    assert report["reason"] == f"ValueError: not so; details: {folder.run(0).failure}"
    assert "Traceback" in folder.run(0).failure.read_text()


def test_a_lost_process_is_started_again_by_ray(folder: SweepFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    def train(recipe: Recipe, hooks: TrainHooks) -> None:
        raise RayError("the cluster is gone")

    monkeypatch.setattr(trial, "train", train)
    with pytest.raises(RayError):
        run(folder)


def test_the_end_is_the_last_report(folder: SweepFolder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Ray Tune takes a trial's result from it: what the store has to say comes before."""

    def train(recipe: Recipe, hooks: TrainHooks) -> None:
        run = folder.run(0)
        run.path.mkdir(parents=True)
        small_trainer(recipe)
        assert hooks.prepare(run, recipe, open_dataset(recipe.dataset.path))
        (tmp_path / "store").rename(tmp_path / "gone")
        (tmp_path / "store").write_text("a file where the folder was")
        small_trainer(recipe, KeptEvents(on_event=hooks.display.show)).fit()

    monkeypatch.setattr(trial, "train", train)
    said = run(folder)
    assert sum("are not shared" in report.get("notice", "") for report in said) == 1
    assert said[-1]["outcome"] == "finished" and said[-1]["joint_epoch"] == 2


def test_a_trial_on_other_data_than_the_sweeps_waits_and_leaves_no_run(folder: SweepFolder, tmp_path: Path) -> None:
    """Its score would be compared with those of trials that learned from other images."""
    dataset = TrialRun(folder, 0, lambda said: None).recipe.dataset.path
    folder.dataset.write_text(open_dataset(dataset).metadata.model_dump_json())
    shutil.rmtree(dataset)
    rows = [noise_row(number, side=17) for number in range(40)]
    write_dataset(Path(dataset), {"train": rows[:24], "val": rows[24:32], "test": rows[32:]})
    (said,) = run(folder)
    assert said["outcome"] == "infrastructure"
    assert said["reason"] == (
        f"dataset {dataset}: holds other data than sweep {folder.path} was started with; name that dataset, or start "
        "another sweep with name=NAME"
    )
    assert not folder.run(0).path.exists()
