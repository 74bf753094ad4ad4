"""The report of a sweep."""

from pathlib import Path

import pytest

from distxml.config import Recipe
from distxml.config.phases import PhaseName
from distxml.data.schema import open_dataset
from distxml.models.checkpoint import build_model, save_model
from distxml.report.sweep.report import write_sweep_report
from distxml.training.preflight import model_card
from distxml.tuning.records import SweepFolder
from tests.unit.report.page import parse
from tests.unit.tuning.finished_sweep import PARAMETERS, PARETO, records, write_sweep
from tests.unit.tuning.small_sweep import base_recipe, small_sweep


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Recipe:
    return base_recipe(tmp_path_factory.mktemp("results"))


@pytest.mark.parametrize("objective", [{"metrics": {"accuracy": {"goal": "max"}}}, PARETO])
def test_the_report(tmp_path: Path, base: Recipe, objective: dict) -> None:
    folder = SweepFolder(tmp_path / "sweep")
    write_sweep(folder, base, small_sweep(parameters=PARAMETERS, objective=objective))
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
    write_sweep(folder, base, small_sweep(parameters=PARAMETERS))
    for record in records():
        folder.save(record.model_copy(update={"status": "failed", "metrics": {}, "score": None, "reason": "x"}))
    assert "No trial has finished." in write_sweep_report(folder).read_text()
