"""f `classifier_phase` is the function that the classifier phase trained, whatever its heatmap was."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from distxml.attribution.explained_model import ExplainedModel
from distxml.attribution.lrp import RelevancePropagation
from distxml.config import Recipe
from distxml.config.evaluation import EvaluationSettings, Gating
from distxml.config.load import with_settings
from distxml.config.phases import PhaseName
from distxml.config.run_folder import RunFolder
from distxml.data.loader import Loader
from distxml.data.reader import SplitReader
from distxml.data.rows import collate, decode
from distxml.data.sampler import Rank
from distxml.data.schema import open_dataset
from distxml.errors import UserError
from distxml.evaluation.evaluate import worker_inputs
from distxml.evaluation.prepare import prepare
from distxml.evaluation.scoring.records import ImageRecord
from distxml.evaluation.workers.journal import RowJournal
from distxml.evaluation.workers.worker import ScoringWorker
from distxml.models.checkpoint import ModelCard, build_model, load_model, save_model
from distxml.training.learner import Learner
from distxml.training.preflight import model_card
from distxml.training.validation import validate
from tests.integration.small_run import write_run
from tests.unit.evaluation.small_model import SIZE, small_model, small_rows, small_scorer
from tests.unit.training.small_training import SHORT, small_recipe, small_trainer

CLASSIFIER = "evaluation.f=classifier_phase"


def trained(folder: Path, *overrides: str) -> Recipe:
    """Of a run, one epoch per phase, whose explainer comes from a checkpoint; its heatmap is far from white."""
    start = (f"warm_start.checkpoint={folder / 'before'}", "warm_start.part=explainer")
    recipe = small_recipe(folder, *start, *SHORT, "evaluation.split=val", CLASSIFIER, *overrides)
    card = model_card(recipe, open_dataset(recipe.dataset.path))
    (folder / "before").mkdir()
    torch.manual_seed(1)
    save_model(folder / "before", build_model(dark(card)), card)
    small_trainer(recipe).fit()
    return recipe


def dark(card: ModelCard) -> ModelCard:
    return card.model_copy(update={"settings": card.settings.model_copy(update={"init_bias": 0.3})})


def described(recipe: Recipe) -> list[ImageRecord]:
    """The clean pass over the recipe's split, as an evaluation's worker does it."""
    run = RunFolder(recipe.run_folder)
    evaluation = prepare(run, recipe)
    scorer = ScoringWorker(worker_inputs(evaluation, RowJournal(run.evaluation_rows))).scorers[0]
    return scorer.describe(list(SplitReader(evaluation.dataset, "val").rows_at(range(8))))


def logged(recipe: Recipe, phase: PhaseName) -> dict[str, float]:
    """What training's validation says of the weights that a phase ended with."""
    model = load_model(RunFolder(recipe.run_folder).checkpoint(phase, "last")).model
    loader = Loader(open_dataset(recipe.dataset.path), "val", recipe.loader, Rank(), recipe.run.seed)
    return validate(Learner.build(recipe, phase, model, None), loader.evaluation())


def mean(records: Sequence[ImageRecord], name: str) -> float:
    return float(np.mean([getattr(record, name) for record in records]))


@pytest.mark.parametrize(
    ("overrides", "gating"),
    [((), "recompute"), (("phases.classifier.white_heatmap=true",), "white")],
)
def test_what_is_scored_is_what_was_trained(tmp_path: Path, overrides: tuple[str, ...], gating: Gating) -> None:
    recipe = trained(tmp_path, *overrides)
    assert recipe.scored_gating == gating
    records, in_training = described(recipe), logged(recipe, PhaseName.CLASSIFIER)
    assert mean(records, "classification") == pytest.approx(in_training["classification"], rel=1e-5)
    right = np.mean([record.predicted == record.label for record in records])
    assert right == pytest.approx(in_training["accuracy"])
    assert prepare(RunFolder(recipe.run_folder), recipe).scored.gating == gating


def test_another_heatmap_than_the_checkpoint_was_trained_under_is_refused(tmp_path: Path) -> None:
    """As after an edit of the run's config.yaml."""
    run = write_run(tmp_path, EvaluationSettings(f="classifier_phase"), images=4)
    white = run.recipe()
    anew = with_settings(white, {"phases.classifier.white_heatmap": False}, "a test")
    assert (white.scored_gating, anew.scored_gating) == ("white", "recompute")
    prepare(run, white)
    with pytest.raises(UserError, match="trained under a white heatmap, but the run's config has it under the explai"):
        prepare(run, anew)
    prepare(run, with_settings(anew, {"evaluation.f": "recompute"}, "a test"))


def test_a_checkpoint_says_what_gated_it(tmp_path: Path) -> None:
    recipe = trained(tmp_path, "phases.classifier.white_heatmap=true")
    gating = {
        phase: load_model(RunFolder(recipe.run_folder).checkpoint(phase, "last")).card.gating for phase in PhaseName
    }
    assert gating == {PhaseName.CLASSIFIER: "white", PhaseName.EXPLAINER: "recompute", PhaseName.JOINT: "recompute"}


def test_its_own_explainer_gates_it_and_the_joint_phases_orders_the_patches(tmp_path: Path) -> None:
    """Perturbed images too: once every patch is black, f is that of a black image under its own heatmap."""
    own, joint = small_model(5).model, small_model().model
    settings = EvaluationSettings(
        methods=("in_model",), patch_sizes=(16,), min_patches=4, fills=("black",), range="patches", steps="all"
    )
    row = small_rows(5)[3]
    explained = ExplainedModel("recompute", own, joint)
    (record,) = small_scorer(tmp_path, settings, [row], explained).score([row], ["in_model"])
    image = collate([decode(row, SIZE)]).image
    with torch.no_grad():
        first, last = (own(one).logits[0].double().softmax(0) for one in (image, torch.zeros_like(image)))
        under_joint = own(image, joint.explainer(image)).logits[0].double().softmax(0)
    f = record.curves[0].f
    assert (f[0], f[-1]) == pytest.approx((float(first[record.target]), float(last[record.target])), abs=1e-5)
    assert f[0] != pytest.approx(float(under_joint[record.target]), abs=1e-3), "the two explainers differ"
    assert torch.equal(explained.heatmap(image), joint.explainer(image))


def test_relevance_is_that_of_the_classifier_under_its_own_heatmap() -> None:
    own, joint = small_model(5).model, small_model().model
    image, target = torch.rand(1, 3, *SIZE, generator=torch.Generator().manual_seed(0)), torch.tensor([1])
    found = RelevancePropagation(ExplainedModel("recompute", own, joint)).relevance(image, target)
    alone = RelevancePropagation(ExplainedModel("recompute", own, own)).relevance(image, target)
    assert torch.equal(found, alone) and found.abs().max() > 0
