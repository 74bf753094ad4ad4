"""The grid of images × methods: pictures by the methods themselves, numbers by the evaluation."""

from pathlib import Path

import numpy as np
import pytest
import torch

from distxml.attribution.explained_model import ExplainedModel
from distxml.attribution.methods import make_method
from distxml.config.phases import PhaseName
from distxml.config.run_folder import RunFolder
from distxml.data.rows import collate
from distxml.errors import UserError
from distxml.evaluation.results import Results, load_results
from distxml.models.checkpoint import load_model
from distxml.monitoring.overlay import colorize
from distxml.report.document import untracked
from distxml.report.figures.heatmaps import heatmap_figure
from distxml.report.heatmap_grid import HeatmapGrid, build_heatmap_grid
from distxml.report.scored_run import ScoredRun, open_run
from distxml.report.wording import number
from tests.unit.evaluation.small_model import SEED
from tests.unit.report.page import Page
from tests.unit.report.run_on_disk import EVALUATION, make_run, small, write_checkpoint


@pytest.fixture(scope="module")
def scored_run(everything: RunFolder, full_results: Results) -> ScoredRun:
    return open_run(everything, everything.recipe(), full_results)


@pytest.fixture(scope="module")
def grid(everything: RunFolder, full_results: Results, scored_run: ScoredRun) -> HeatmapGrid:
    found = build_heatmap_grid(scored_run, everything.recipe(), full_results, untracked)
    assert found is not None
    return found


def test_rows_are_perturbed_images_of_every_group(grid: HeatmapGrid, full_results: Results):
    perturbed = set(full_results.heatmaps["key"].to_pylist())
    images = {row["key"]: row for row in full_results.images.to_pylist() if row["key"] in perturbed}
    keys = [row.key for row in grid.rows]
    assert len(set(keys)) == len(keys) <= 6 and set(keys) <= perturbed
    groups = {(row["label"], row["label"] == row["predicted"]) for row in images.values()}
    assert {(images[key]["label"], images[key]["label"] == images[key]["predicted"]) for key in keys} == groups
    assert grid.perturbed == len(perturbed) == 8


def test_numbers_are_those_of_the_tables(grid: HeatmapGrid, full_results: Results):
    classes = full_results.summary.classes
    images = {row["key"]: row for row in full_results.images.to_pylist()}
    measured = {(row["key"], row["method"]): row for row in full_results.heatmaps.to_pylist()}
    for row in grid.rows:
        assert row.label == classes[images[row.key]["label"]]
        assert row.target == classes[images[row.key]["predicted"]]  # the settings' target
        assert row.probability == images[row.key]["probabilities"][images[row.key]["predicted"]]
        for heatmap in row.heatmaps:
            assert heatmap.pompom_equal_area == measured[row.key, heatmap.method]["pompom_equal_area"]


def test_every_method_but_random_has_its_own_heatmap(grid: HeatmapGrid, full_results: Results, scored_run: ScoredRun):
    settings = full_results.summary.settings
    assert grid.methods == [method for method in settings.methods if method != "random"]
    row = grid.rows[0]
    sample = scored_run.samples([row.key])[0]
    target = torch.tensor([scored_run.card.classes.index(row.target)])
    for heatmap in row.heatmaps:
        method = make_method(heatmap.method, scored_run.explained, settings, SEED)
        relevance = method.heatmap(collate([sample]).image, target)
        expected = relevance[0, 0].numpy()
        if heatmap.method != "in_model":
            expected = expected / max(expected.max(), np.finfo(np.float32).tiny)
        assert (heatmap.picture == colorize(expected)).mean() > 0.99  # a pixel may round to the neighbouring colour
    assert "but to 1 for the in-model one" in grid.caption


def test_the_page_shows_each_with_its_pompom(grid: HeatmapGrid, full_page: Page):
    pictures = [element for element in full_page.all("img") if element.attributes["alt"].startswith("Heatmap by ")]
    assert len(pictures) == len(grid.methods) * len(grid.rows)
    for row in grid.rows:
        assert f"{row.target} {number(row.probability)}" in full_page.text
        for heatmap in row.heatmaps:
            assert number(heatmap.pompom_equal_area) in full_page.text


def test_the_figure_has_all_pictures(grid: HeatmapGrid):
    plate = heatmap_figure(grid)
    assert plate.svg.count(b"<image ") == (1 + len(grid.methods)) * len(grid.rows) + 1  # and the scale of the colours


def test_the_classifier_phase_is_scored_but_the_heatmap_is_the_explainers(tmp_path: Path):
    run = make_run(tmp_path, settings=EVALUATION.model_copy(update={"f": "classifier_phase"}))
    results = load_results(run.evaluation)
    scored_run = open_run(run, run.recipe(), results)
    assert results.summary.scored.checkpoint == "checkpoints/classifier/last"
    assert scored_run.explainer == "checkpoints/joint/last"
    first, third = (
        load_model(run.checkpoint(phase, "last")).model for phase in (PhaseName.CLASSIFIER, PhaseName.JOINT)
    )
    grid = build_heatmap_grid(scored_run, run.recipe(), results, untracked)
    assert grid is not None
    image = collate(scored_run.samples([grid.rows[0].key])).image
    with torch.no_grad():
        assert (grid.rows[0].heatmaps[0].picture == colorize(third.explainer(image)[0, 0].numpy())).all()
        assert torch.equal(scored_run.explained.logits(image, "white"), first(image, "white").logits)
    saliency = make_method("saliency", ExplainedModel("white", first, third), results.summary.settings, seed=0)
    heat = saliency.heatmap(image, torch.tensor([scored_run.card.classes.index(grid.rows[0].target)]))[0, 0].numpy()
    assert (grid.rows[0].heatmaps[1].picture == colorize(heat / heat.max())).mean() > 0.99


def test_another_explainer_than_the_one_that_was_used_is_refused(tmp_path: Path):
    run = make_run(tmp_path, settings=EVALUATION.model_copy(update={"f": "classifier_phase"}))
    write_checkpoint(run, small(seed=7))
    with pytest.raises(UserError, match=r"joint/last are not those that were scored"):
        open_run(run, run.recipe(), load_results(run.evaluation))
