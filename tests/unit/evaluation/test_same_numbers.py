"""One number, one definition: what training logs of a split is what an evaluation says of it."""

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from distxml.config import Recipe
from distxml.config.phases import PhaseName
from distxml.config.run_folder import RunFolder
from distxml.data.loader import Loader
from distxml.data.reader import SplitReader
from distxml.data.sampler import Rank
from distxml.data.schema import METADATA_NAME, open_dataset
from distxml.errors import UserError
from distxml.evaluation.evaluate import worker_inputs
from distxml.evaluation.prepare import prepare
from distxml.evaluation.scoring.records import images_table
from distxml.evaluation.statistics.class_weighting import ClassWeighting
from distxml.evaluation.statistics.groups import Groups
from distxml.evaluation.statistics.means import mean_metrics
from distxml.evaluation.workers.journal import RowJournal
from distxml.evaluation.workers.worker import ScoringWorker
from distxml.losses import class_weights
from distxml.metrics.lookup import METRICS
from distxml.models.checkpoint import build_model, load_model, save_model
from distxml.training.learner import Learner
from distxml.training.preflight import model_card
from distxml.training.validation import validate
from tests.small_dataset import noise_row, write_dataset
from tests.unit.training.small_training import small_recipe

IMAGES = 11


def untrained_run(folder: Path, annotated: Sequence[int], *overrides: str) -> Recipe:
    """A run whose model is not trained; two of three images are of class 0, and only some have a mask."""
    rows = [
        replace(noise_row(number, side=16, annotated=number in annotated), label=int(number % 3 == 0))
        for number in range(2 * IMAGES)
    ]
    write_dataset(folder / "dataset", {"train": rows[IMAGES:], "val": rows[:IMAGES]})
    recipe = small_recipe(folder, "evaluation.split=val", "model.init_bias=0.5", *overrides)
    run = RunFolder(recipe.run_folder)
    run.checkpoint(PhaseName.JOINT, "last").mkdir(parents=True)
    card = model_card(recipe, open_dataset(recipe.dataset.path))
    torch.manual_seed(1)
    save_model(run.checkpoint(PhaseName.JOINT, "last"), build_model(card), card)
    run.config.write_text(recipe.model_dump_json())
    shutil.copy(folder / "dataset" / METADATA_NAME, run.dataset)
    return recipe


def logged(recipe: Recipe) -> dict[str, float]:
    model = load_model(RunFolder(recipe.run_folder).checkpoint(PhaseName.JOINT, "last")).model
    dataset = open_dataset(recipe.dataset.path)
    weights = class_weights(recipe.loss.class_weights, dataset.metadata.class_counts("train"))
    loader = Loader(dataset, "val", recipe.loader, Rank(), recipe.run.seed)
    return validate(Learner.build(recipe, PhaseName.JOINT, model, weights), loader.evaluation())


def evaluated(recipe: Recipe) -> dict[str, float | None]:
    run = RunFolder(recipe.run_folder)
    evaluation = prepare(run, recipe)
    scorer = ScoringWorker(worker_inputs(evaluation, RowJournal(run.evaluation_rows))).scorers[0]
    rows = list(SplitReader(evaluation.dataset, "val").rows_at(range(IMAGES)))
    weighting = ClassWeighting(recipe.phases.joint.alpha, evaluation.class_weights)
    metrics = mean_metrics(images_table(scorer.describe(rows)), Groups.of([None] * IMAGES), weighting)
    counted = {metric.name: metric.images for metric in metrics}
    assert counted["classification"] == counted["total"] == IMAGES
    return {metric.name: metric.value for metric in metrics}


@pytest.mark.parametrize("weights", ["null", "balanced", "[1, 4]"])
@pytest.mark.parametrize("annotated", [range(IMAGES), (0, 1, 5)])
def test_log_and_evaluation_agree(tmp_path: Path, weights: str, annotated: Sequence[int]) -> None:
    overrides = ("loss.kind=hybrid", "loss.gamma=3", f"loss.class_weights={weights}")
    recipe = untrained_run(tmp_path, annotated, *overrides)
    in_log, in_evaluation = logged(recipe), evaluated(recipe)
    both = {name for name in METRICS.names() if {"training", "evaluation"} <= {*METRICS[name].computed_by}}
    assert both >= {"total", "classification", "explanation", "sparsity", "contiguity", "weak", "accuracy"}
    assert {name: in_evaluation[name] for name in both} == pytest.approx(
        {name: in_log[name] for name in both}, rel=1e-4
    )
    share = len(annotated) / IMAGES
    assert in_log["annotated"] == pytest.approx(share)
    parts = 0.9 * in_log["sparsity"] + 0.1 * in_log["contiguity"] + 3 * share * in_log["weak"]
    assert recipe.loss.beta == 0.9 and in_log["explanation"] == pytest.approx(parts)


def test_an_external_dataset_is_weighed_as_in_training(tmp_path: Path) -> None:
    recipe = untrained_run(tmp_path, (), "loss.class_weights=balanced")
    run = RunFolder(recipe.run_folder)
    expected = prepare(run, recipe).class_weights
    assert expected is not None and expected[1] > 1 > expected[0]
    write_dataset(tmp_path / "external", {"val": [noise_row(number, side=16) for number in range(4)]})
    elsewhere = recipe.dataset.model_copy(update={"path": str(tmp_path / "external")})
    assert prepare(run, recipe.model_copy(update={"dataset": elsewhere})).class_weights == expected
    run.dataset.unlink()
    with pytest.raises(UserError, match=r"dataset\.json.*class_weights=balanced needs it; restore the file"):
        prepare(run, recipe)
