"""The primary comparison is made a second time, under the other gate: from the rows to the page's figures."""

import pytest

from distxml.config.evaluation import EvaluationSettings
from distxml.config.load import override_settings
from distxml.config.run_folder import RunFolder
from distxml.errors import UserError
from distxml.evaluation.evaluate import RemainingWork, notes_on_finished, remaining_work, results_of, worker_inputs
from distxml.evaluation.other_gate import under_other_gate
from distxml.evaluation.prepare import fingerprint, prepare
from distxml.evaluation.results import Results
from distxml.evaluation.workers.worker import ScoringWorker
from tests.integration.small_run import write_run

SETTINGS = EvaluationSettings(
    methods=("random", "saliency", "in_model"),
    orders=("morf", "lerf"),
    patch_sizes=(8, 4),
    fills=("black", "blur"),
    steps=3,
    bootstrap=100,
)
IMAGES = 7


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return write_run(tmp_path_factory.mktemp("gates"), SETTINGS, images=IMAGES)


def left(run: RunFolder, *overrides: str) -> RemainingWork:
    recipe = override_settings(run.recipe(), list(overrides), "a test")
    return remaining_work(run, prepare(run, recipe))


def evaluated(run: RunFolder, *overrides: str) -> Results:
    """Without Ray."""
    work = left(run, *overrides)
    work.open()
    worker = ScoringWorker(*[worker_inputs(part.evaluation, part.journal) for part in work.parts])
    for task in work.tasks:
        worker.score(task)
    return results_of(work, [part.journal.read() for part in work.parts])


def test_each_gates_comparison_stands_beside_the_others(run: RunFolder):
    both = {f: evaluated(run, f"evaluation.f={f}").summary for f in ("recompute", "fixed")}
    for f, other in (("recompute", "fixed"), ("fixed", "recompute")):
        beside, there = both[f].primary_under_other_gate, both[other].primary
        assert beside is not None and there is not None and both[f].primary is not None
        assert beside.f == other
        assert beside.comparison.model_dump() == pytest.approx(there.model_dump(), abs=1e-6)
    assert both["recompute"].primary != both["fixed"].primary, "else this test would say nothing"


def test_only_what_it_needs_is_scored(run: RunFolder):
    work = left(run, "evaluation.f=fixed", "evaluation.primary={method: saliency, fill: blur, patch_size: 4}")
    assert work.other is not None
    narrowed = work.other.evaluation
    assert narrowed.scored.gating == "recompute" == narrowed.recipe.scored_gating
    curves = {(curve.method, curve.patch_size, curve.order) for curve in narrowed.plan.curves}
    assert curves == {("random", 4, "morf"), ("saliency", 4, "morf")} and narrowed.plan.fills == ("blur",)
    mine = [task for task in work.tasks if task.part == 1]
    assert mine and all(task.methods for task in mine)
    assert sum(len(task.rows) * len(task.methods) for task in mine) == 2 * IMAGES
    assert fingerprint(narrowed) != fingerprint(work.evaluation)


@pytest.mark.parametrize("seed", range(1, 4))
def test_the_same_images_are_perturbed_whatever_the_runs_seed(run: RunFolder, seed: int):
    work = left(run, f"run.seed={seed}", "evaluation.curve_images=3")
    assert work.other is not None
    assert work.other.evaluation.plan.curve_keys == work.evaluation.plan.curve_keys


def test_its_rows_are_used_again(run: RunFolder):
    evaluated(run)
    assert left(run).tasks == []
    assert {task.part for task in left(run, "evaluation.primary={other: saliency}").tasks} == {1}


@pytest.mark.parametrize(
    "override",
    [
        "evaluation.f=classifier_phase",
        "evaluation.methods=[in_model,saliency]",
        "evaluation.primary.under_other_gate=false",
        "evaluation.fills=[]",
        "evaluation.patch_sizes=[32]",
    ],
)
def test_there_is_none_where_nothing_is_to_be_compared(run: RunFolder, override: str):
    work = left(run, override)
    assert work.other is None and under_other_gate(work.evaluation) is None


def test_a_primary_patch_size_that_is_left_out_is_refused(run: RunFolder):
    with pytest.raises(UserError, match=r"primary.patch_size=16: leaves an image fewer than evaluation.min_patches=16"):
        left(run, "evaluation.patch_sizes=[8,16]", "evaluation.primary={patch_size: 16, fill: blur}")


def test_the_note_on_resuming_counts_both_parts(run: RunFolder):
    evaluated(run)
    own, other = notes_on_finished(left(run))
    assert own == f"{3 * IMAGES} of {3 * IMAGES} heatmaps and their curves were finished before and are reused"
    assert other.startswith(f"{2 * IMAGES} of {2 * IMAGES} heatmaps and their curves of the primary comparison under")


def test_leaving_it_out_does_not_change_what_is_claimed(run: RunFolder):
    recipe = override_settings(run.recipe(), ["evaluation.primary.under_other_gate=false"], "a test")
    assert prepare(run, recipe).primary_is_of_recipe
