"""Rows are used again exactly where no number in them can differ."""

import json
from pathlib import Path

import pytest
import torch

from distxml.checksums import note_sums
from distxml.config.evaluation import EvaluationSettings
from distxml.config.load import override_settings
from distxml.config.phases import PhaseName
from distxml.config.recipe import Recipe
from distxml.config.run_folder import RunFolder
from distxml.evaluation.evaluate import remaining_work
from distxml.evaluation.prepare import FREE_SETTINGS, depends_on, fingerprint, prepare
from distxml.models.checkpoint import save_model
from tests.integration.small_run import write_run
from tests.small_dataset import write_dataset
from tests.unit.evaluation.small_model import CLASSES, PHASE1_SEED, small_model, small_rows


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return write_run(tmp_path, EvaluationSettings(patch_sizes=(8, 64), curve_images=4), images=12)


def of(run: RunFolder, *overrides: str) -> str:
    return fingerprint(prepare(run, override_settings(run.recipe(), list(overrides), "a test")))


NEITHER_MORE_NOR_LESS = {
    "methods": "[random]",
    "curve_images": "3",
    "batch_size": "5",
    "bootstrap": "100",
    "primary": "{method: lrp}",
    "split": "train",
    "f": "fixed",
    "output": "logit",
    "target": "label",
    "integration_steps": "7",
    "smoothgrad_samples": "7",
    "smoothgrad_noise": "0.2",
    "grad_cam_layer": "stage1",
    "occlusion_window": "0.25",
    "occlusion_stride": "1",
    "rise_masks": "7",
    "orders": "[lerf]",
    "patch_sizes": "[8]",
    "fills": "[black]",
    "blur_sigma": "0.1",
    "steps": "3",
    "range": "patches",
    "max_share": "0.5",
    "min_patches": "4",
}
"""Another value of every setting of the evaluation but `checkpoint`, which the weights stand for."""


def test_every_setting_of_the_evaluation_is_decided_upon(run: RunFolder):
    assert NEITHER_MORE_NOR_LESS.keys() == EvaluationSettings.model_fields.keys() - {"checkpoint"}
    write_dataset(run.path.parent / "dataset", dict.fromkeys(("train", "test"), small_rows(12)), CLASSES)
    plain = of(run)
    same = {name for name, value in NEITHER_MORE_NOR_LESS.items() if of(run, f"evaluation.{name}={value}") == plain}
    assert same == {"methods", "curve_images", "batch_size", "bootstrap", "primary"} == FREE_SETTINGS - {"checkpoint"}


@pytest.mark.parametrize("override", ["scaling.workers=3", "scaling.cpus_per_worker=2", "loader.batch_size=32"])
def test_how_it_is_computed_does_not_matter(run: RunFolder, override: str):
    assert of(run, override) == of(run)


@pytest.mark.parametrize("override", ["run.seed=6", "loss.beta=0.7", "loss.gamma=3", "phases.joint.alpha=0.5"])
def test_what_the_run_was_trained_with_matters_as_far_as_rows_show_it(run: RunFolder, override: str):
    assert of(run, override) != of(run)


def test_other_weights_matter(run: RunFolder):
    before = of(run), of(run, "evaluation.f=classifier_phase")
    loaded = small_model(PHASE1_SEED)
    with torch.no_grad():
        next(loaded.model.classifier.parameters()).view(-1)[0] += 1e-6
    white = loaded.card.model_copy(update={"gating": "white"})
    save_model(run.checkpoint(PhaseName.CLASSIFIER, "last"), loaded.model, white)
    assert of(run) == before[0], "they are not used"
    assert of(run, "evaluation.f=classifier_phase") != before[1]
    save_model(run.checkpoint(PhaseName.JOINT, "last"), loaded.model, loaded.card)
    assert of(run) != before[0]


def test_a_copy_of_the_same_weights_is_the_same_model(run: RunFolder):
    run.checkpoint(PhaseName.JOINT, "last").rename(run.checkpoint(PhaseName.JOINT, "best_loss"))
    other = of(run, "evaluation.checkpoint=best_loss")
    run.checkpoint(PhaseName.JOINT, "best_loss").rename(run.checkpoint(PhaseName.JOINT, "last"))
    assert other == of(run)


def test_the_same_weights_in_another_model_are_another_model(run: RunFolder):
    """Normalisation has no weights."""
    before, card = of(run), run.checkpoint(PhaseName.JOINT, "last") / "model.json"
    card.write_text(card.read_text().replace('"normalization": "none"', '"normalization": "imagenet"'))
    note_sums(card.parent)
    assert of(run) != before


def test_another_dataset_matters_and_another_place_does_not(run: RunFolder, tmp_path: Path):
    before = of(run)
    (tmp_path / "dataset").rename(tmp_path / "moved")
    assert of(run, f"dataset.path={json.dumps(str(tmp_path / 'moved'))}") == before
    write_dataset(tmp_path / "dataset", {"test": [*small_rows(11), small_rows(13)[-1]]}, CLASSES, rows_per_shard=9)
    assert of(run) != before


def test_it_is_short_and_the_same_in_every_process(run: RunFolder):
    assert len(of(run)) == 16
    assert json.loads(json.dumps(depends_on(prepare(run, run.recipe())))) == depends_on(prepare(run, run.recipe()))


def test_what_is_left_writes_nothing(run: RunFolder):
    before = sorted(run.path.rglob("*"))
    left = remaining_work(run, prepare(run, run.recipe()))
    assert left.passes > 12
    assert left.journal.folder.name == of(run)
    assert sorted(run.path.rglob("*")) == before


def test_a_recipe_that_is_read_back_is_the_same(run: RunFolder):
    again = Recipe.model_validate_json(run.recipe().model_dump_json())
    assert fingerprint(prepare(run, again)) == of(run)
