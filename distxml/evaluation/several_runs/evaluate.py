"""Several runs of one recipe: prepared and held against each other first, then, once each is evaluated, summarized."""

from collections.abc import Sequence

from distxml import __version__
from distxml.config.recipe import Recipe
from distxml.config.run_folder import RunFolder
from distxml.errors import UserError
from distxml.evaluation.prepare import Evaluation, prepare
from distxml.evaluation.results import load_results
from distxml.evaluation.several_runs.columns import RunColumns, run_columns
from distxml.evaluation.several_runs.comparable import refuse_one_run_twice, refuse_others
from distxml.evaluation.several_runs.record import SeveralRuns
from distxml.evaluation.several_runs.store import scored_run, store_several
from distxml.evaluation.several_runs.summarize import (
    aopc_over_runs,
    comparisons_over_runs,
    heatmaps_over_runs,
    metrics_over_runs,
    other_gate_over_runs,
)
from distxml.evaluation.statistics.class_weighting import ClassWeighting
from distxml.evaluation.summary import Summary


def prepare_several(runs: Sequence[RunFolder], recipes: Sequence[Recipe]) -> list[Evaluation]:
    """Prepare every run, and hold them against each other, before any is scored.

    Args:
        runs: two or more.
        recipes: of each, with what differs from it in this evaluation.

    Raises:
        UserError: a run is not ready (see `prepare`), or two are no trainings of one procedure.
    """
    refuse_one_run_twice(runs)
    evaluations = [prepare(run, recipe) for run, recipe in zip(runs, recipes, strict=True)]
    refuse_others(runs, evaluations)
    return evaluations


def summarize_several(runs: Sequence[RunFolder], evaluations: Sequence[Evaluation]) -> SeveralRuns:
    """Read the runs' evaluations, one after the other, and write what they say together into the first run's folder.

    Args:
        runs: two or more, each evaluated.
        evaluations: what each was evaluated with.

    Raises:
        UserError: an evaluation is damaged, is another than was prepared, or the disk does not take the files.
    """
    summaries: list[Summary] = []
    columns: list[RunColumns] = []
    for run, evaluation in zip(runs, evaluations, strict=True):
        results = load_results(run.evaluation)
        _refuse_another(run, evaluation, results.summary)
        weighting = ClassWeighting(evaluation.recipe.phases.joint.alpha, evaluation.class_weights)
        columns.append(run_columns(results, weighting))
        summaries.append(results.summary)
        if (columns[-1].keys, columns[-1].curve_keys) != (columns[0].keys, columns[0].curve_keys):
            raise UserError(f"run {run}: was scored on other images than run {runs[0]}; evaluate both again")
    several = _several(runs, evaluations, columns, summaries)
    store_several(several, runs[0])
    return several


def _refuse_another(run: RunFolder, evaluation: Evaluation, summary: Summary) -> None:
    same = summary.settings == evaluation.recipe.evaluation and summary.scored == evaluation.scored
    if not same or summary.dataset_sha256 != evaluation.dataset.sha256:
        raise UserError(f"run {run}: was evaluated otherwise meanwhile; run the same command again")


def _several(
    runs: Sequence[RunFolder],
    evaluations: Sequence[Evaluation],
    columns: Sequence[RunColumns],
    summaries: Sequence[Summary],
) -> SeveralRuns:
    first, settings = summaries[0], summaries[0].settings
    aopc = aopc_over_runs(columns)
    return SeveralRuns(
        made_by=f"distxml {__version__}",
        runs=tuple(
            scored_run(run, runs[0], evaluation.recipe, evaluation.scored)
            for run, evaluation in zip(runs, evaluations, strict=True)
        ),
        dataset_name=first.dataset_name,
        dataset_sha256=first.dataset_sha256,
        images=first.images,
        groups=first.groups,
        curve_images=first.curve_images,
        curve_groups=first.curve_groups,
        settings=settings,
        primary_is_of_recipe=all(summary.primary_is_of_recipe for summary in summaries),
        metrics=metrics_over_runs(columns, summaries),
        heatmaps=heatmaps_over_runs(columns, summaries),
        aopc=tuple(row for row in aopc if row.patch_size is not None),
        aopc_overall=tuple(row for row in aopc if row.patch_size is None),
        comparisons=comparisons_over_runs(columns, settings, evaluations[0].recipe.run.seed),
        primary_under_other_gate=other_gate_over_runs(summaries),
    )
