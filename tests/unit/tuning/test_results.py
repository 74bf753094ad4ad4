"""What a sweep leaves: tables, the best recipes, HParams."""

from pathlib import Path

import pandas as pd
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from distxml.config import Recipe, load_settings
from distxml.errors import UserError
from distxml.monitoring.scalars import ScalarWriter
from distxml.tuning.objective import Objective
from distxml.tuning.records import SweepFolder
from distxml.tuning.results import best_trials, write_results
from tests.unit.tuning.finished_sweep import PARAMETERS, PARETO, records, write_sweep
from tests.unit.tuning.small_sweep import base_recipe, small_sweep


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Recipe:
    return base_recipe(tmp_path_factory.mktemp("results"))


def test_tables_hold_every_setting_and_metric(tmp_path: Path, base: Recipe) -> None:
    folder = SweepFolder(tmp_path / "sweep")
    write_sweep(folder, base, small_sweep(parameters=PARAMETERS))
    csv, parquet = pd.read_csv(folder.table), pd.read_parquet(folder.parquet)
    assert len(csv) == len(parquet) == 12
    for rows in (csv, parquet):
        assert {"loss.gamma", "optimizer.clip_norm", "accuracy", "pompom", "status", "reason"} <= set(rows.columns)
        assert rows["status"].value_counts().to_dict() == {"finished": 10, "stopped": 1, "failed": 1}
        assert sum(rows["saved_epochs"]) == 4
        assert [value > 0 for value in rows["loss.gamma"]] == [number % 2 == 1 for number in range(12)]
    assert folder.load() == records(), "records come back as they were"


def test_the_best_recipe_is_one_that_train_takes(tmp_path: Path, base: Recipe) -> None:
    folder = SweepFolder(tmp_path / "sweep")
    write_sweep(folder, base, small_sweep(parameters=PARAMETERS))
    recipe = load_settings(Recipe, str(folder.best()), [])
    assert recipe.phases.joint.alpha == pytest.approx(0.65) and recipe.loss.gamma == pytest.approx(0.8)
    assert recipe.loss.kind == "hybrid" and recipe.optimizer.clip_norm is None
    assert recipe.run_folder == tmp_path / "sweep-best"
    assert (
        recipe.model_copy(
            update={"phases": base.phases, "loss": base.loss, "run": base.run, "optimizer": base.optimizer}
        )
        == base
    )


def test_a_front_has_one_recipe_per_point(tmp_path: Path, base: Recipe) -> None:
    folder = SweepFolder(tmp_path / "sweep")
    made = write_sweep(folder, base, small_sweep(parameters=PARAMETERS, objective=PARETO))
    front = best_trials(made, Objective(folder.sweep().objective))
    assert [record.number for record in front] == [7, 6, 5, 4, 3, 2, 1, 0]
    alphas = [load_settings(Recipe, str(folder.best(place)), []).phases.joint.alpha for place in range(1, 9)]
    assert alphas == [record.settings["phases.joint.alpha"] for record in front]
    assert not folder.best().exists()


def test_hparams_have_one_row_per_trial(tmp_path: Path, base: Recipe) -> None:
    folder = SweepFolder(tmp_path / "sweep")
    write_sweep(folder, base, small_sweep(parameters=PARAMETERS))
    assert len(list(folder.tensorboard.iterdir())) == 12
    board = EventAccumulator(str(folder.tensorboard / "0007")).Reload()
    assert board.Scalars("trial/accuracy")[0].value == pytest.approx(1.0)
    assert "_hparams_/session_start_info" in board.summary_metadata


def test_a_row_of_hparams_that_was_cut_off_is_written_anew(
    tmp_path: Path, base: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, add = SweepFolder(tmp_path / "sweep"), ScalarWriter.add

    def cut_off(self: ScalarWriter, name: str, value: float, step: int, tag: str | None = None) -> None:
        if value == pytest.approx(0.5):  # of trial 2
            raise OSError("full")
        add(self, name, value, step, tag)

    with monkeypatch.context() as patch, pytest.raises(OSError, match="full"):
        patch.setattr(ScalarWriter, "add", cut_off)
        write_sweep(folder, base, small_sweep(parameters=PARAMETERS))
    assert sorted(path.name for path in folder.tensorboard.iterdir()) == ["0000", "0001"]
    (folder.tensorboard / ".0002.killed.unfinished").mkdir()
    write_results(folder, base, folder.load(), Objective(folder.sweep().objective))
    assert sorted(path.name for path in folder.tensorboard.iterdir()) == [f"{number:04}" for number in range(12)]
    assert EventAccumulator(str(folder.tensorboard / "0002")).Reload().Scalars("trial/accuracy")


def test_earlier_best_recipes_stay_until_all_new_ones_are_there(tmp_path: Path, base: Recipe) -> None:
    folder = SweepFolder(tmp_path / "sweep")
    made = write_sweep(folder, base, small_sweep(parameters=PARAMETERS, objective=PARETO))
    before, objective = folder.best(1).read_text(), Objective(folder.sweep().objective)
    broken = [record.model_copy(update={"settings": {"phases.joint.alpha": "much"}}) for record in made]
    with pytest.raises(UserError, match="alpha"):
        write_results(folder, base, broken, objective)
    assert folder.best(1).read_text() == before
    write_results(folder, base, made[:3], objective)
    assert sorted(path.name for path in folder.path.glob("best*.yaml")) == [f"best_{place}.yaml" for place in (1, 2, 3)]


def test_without_a_finished_trial_there_is_no_best_recipe(tmp_path: Path, base: Recipe) -> None:
    folder = SweepFolder(tmp_path / "sweep")
    write_sweep(folder, base, small_sweep(parameters=PARAMETERS))
    for record in records():
        folder.save(record.model_copy(update={"status": "failed", "metrics": {}, "score": None, "reason": "x"}))
    write_results(folder, base, folder.load(), Objective(folder.sweep().objective))
    assert not folder.best().exists()
