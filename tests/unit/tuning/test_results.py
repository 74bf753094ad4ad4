"""What a sweep leaves: tables, the best recipes, HParams, the report."""

from pathlib import Path

import pandas as pd
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from distxml.config import Recipe, load_settings
from distxml.config.phases import PhaseName
from distxml.config.sweep import SweepSettings
from distxml.data.schema import open_dataset
from distxml.models.checkpoint import build_model, save_model
from distxml.report.sweep.report import write_sweep_report
from distxml.training.preflight import model_card
from distxml.tuning.objective import Objective
from distxml.tuning.records import SweepFolder, TrialRecord
from distxml.tuning.results import best_trials, write_results
from tests.unit.report.page import parse
from tests.unit.tuning.small_sweep import base_recipe, small_sweep

PARAMETERS = {
    "loss.kind": {"choice": ["unsupervised", "hybrid"]},
    "loss.gamma": {"loguniform": [0.01, 10], "when": {"loss.kind": "hybrid"}},
    "phases.joint.alpha": {"uniform": [0.2, 0.9]},
    "optimizer.clip_norm": {"choice": [None, 1.0]},
}
PARETO = {"combine": "pareto", "metrics": {"accuracy": {"goal": "max"}, "pompom": {"goal": "min"}}}


def records() -> list[TrialRecord]:
    """Twelve trials of all kinds."""
    made = []
    for number in range(12):
        settings = {"loss.kind": "hybrid" if number % 2 else "unsupervised", "phases.joint.alpha": 0.3 + number / 20}
        settings |= {"optimizer.clip_norm": None if number % 3 else 1.0}
        settings |= {"loss.gamma": 0.1 * (number + 1)} if number % 2 else {}
        accuracy = 1 - abs(number - 7) / 10
        record = TrialRecord(
            number=number,
            settings=settings,
            status="finished",
            epochs=dict(zip(PhaseName, (2, 2, 4), strict=True)),
            seconds=3.5,
        )
        record.metrics = {"accuracy": accuracy, "pompom": accuracy / 2 + (number > 7) / 3, "sparsity": 0.3}
        record.score = accuracy
        made.append(record)
    made[10] = made[10].model_copy(update={"status": "stopped", "reason": "others were better"})
    failed = {"status": "failed", "metrics": {}, "score": None, "reason": "phase 2, explainer: <b>black</b>\nheatmap"}
    made[11] = made[11].model_copy(update=failed)
    made[1].saved_epochs, made[1].taken_from = 4, {1: "/runs/0000", 2: "/runs/0000"}
    return made


def write(folder: SweepFolder, base: Recipe, sweep: SweepSettings) -> list[TrialRecord]:
    folder.path.mkdir(parents=True)
    folder.config.write_text(sweep.model_dump_json(exclude_unset=True))
    folder.base.write_text(base.model_dump_json())
    made = records()
    for record in made:
        folder.save(record)
    write_results(folder, base, made, Objective(sweep.objective))
    return made


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Recipe:
    return base_recipe(tmp_path_factory.mktemp("results"))


def test_tables_hold_every_setting_and_metric(tmp_path: Path, base: Recipe) -> None:
    folder = SweepFolder(tmp_path / "sweep")
    write(folder, base, small_sweep(parameters=PARAMETERS))
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
    write(folder, base, small_sweep(parameters=PARAMETERS))
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


def test_a_front_has_a_recipe_a_point(tmp_path: Path, base: Recipe) -> None:
    folder = SweepFolder(tmp_path / "sweep")
    made = write(folder, base, small_sweep(parameters=PARAMETERS, objective=PARETO))
    front = best_trials(made, Objective(folder.sweep().objective))
    assert [record.number for record in front] == [7, 6, 5, 4, 3, 2, 1, 0]
    alphas = [load_settings(Recipe, str(folder.best(place)), []).phases.joint.alpha for place in range(1, 9)]
    assert alphas == [record.settings["phases.joint.alpha"] for record in front]
    assert not folder.best().exists()


def test_hparams_have_a_row_a_trial(tmp_path: Path, base: Recipe) -> None:
    folder = SweepFolder(tmp_path / "sweep")
    write(folder, base, small_sweep(parameters=PARAMETERS))
    assert len(list(folder.tensorboard.iterdir())) == 12
    board = EventAccumulator(str(folder.tensorboard / "0007")).Reload()
    assert board.Scalars("trial/accuracy")[0].value == pytest.approx(1.0)
    assert "_hparams_/session_start_info" in board.summary_metadata


@pytest.mark.parametrize("objective", [{"metrics": {"accuracy": {"goal": "max"}}}, PARETO])
def test_the_report(tmp_path: Path, base: Recipe, objective: dict) -> None:
    folder = SweepFolder(tmp_path / "sweep")
    write(folder, base, small_sweep(parameters=PARAMETERS, objective=objective))
    card = model_card(base, open_dataset(base.dataset.path))
    for number in range(10):
        folder.run(number).checkpoint(PhaseName.JOINT, "last").mkdir(parents=True)
        save_model(folder.run(number).checkpoint(PhaseName.JOINT, "last"), build_model(card), card)
    html = write_sweep_report(folder).read_text()
    page = parse(html)
    assert all(address.startswith(("data:", "#")) for address in page.references)
    assert not page.all("script")
    assert "<b>black" not in html and "&lt;b&gt;black" in html
    assert html.count("heatmap of trial") == 6 * (8 if objective is PARETO else 1)
    assert "Importance of the settings: " in html and "logscale" not in html
    assert html.count("<svg") >= (9 if objective is PARETO else 6)


def test_a_sweep_that_came_to_nothing_has_a_report(tmp_path: Path, base: Recipe) -> None:
    folder = SweepFolder(tmp_path / "sweep")
    write(folder, base, small_sweep(parameters=PARAMETERS))
    for record in records():
        folder.save(record.model_copy(update={"status": "failed", "metrics": {}, "score": None, "reason": "x"}))
    assert "No trial has finished." in write_sweep_report(folder).read_text()
    write_results(folder, base, folder.load(), Objective(folder.sweep().objective))
    assert not folder.best().exists()
