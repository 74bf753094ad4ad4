"""`distxml evaluate`: how good a finished run's classifier and explanations are."""

import shlex
from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from distxml.config import Recipe
    from distxml.config.run_folder import RunFolder
    from distxml.evaluation.prepare import Evaluation

EXAMPLE = "Example: distxml evaluate runs/polygons evaluation.curve_images=100"


def evaluate(
    run: Annotated[str, typer.Argument(metavar="RUN", help="Folder of a finished run, or its URI.")],
    more: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="RUN|A.B=C",
            help="Other runs of the same recipe, and settings that differ from theirs (of evaluation and scaling, and "
            "dataset.path). A word with = is a folder where there is one of that name.",
        ),
    ] = None,
    print_config: Annotated[bool, typer.Option("--print-config", help="Show the resolved settings and stop.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, without doing it.")] = False,
) -> None:
    """Score a finished run: classification, POMPOM, and AOPC of many heatmap methods side by side, with 95% intervals.

    Several runs of one recipe with other seeds are scored one after the other, then summarized together: what holds of
    the training, not of one trained model. An interrupted evaluation resumes where it stopped."""
    from distxml.config.evaluation_request import override_recipe, runs_and_overrides
    from distxml.evaluation.several_runs.evaluate import prepare_several
    from distxml.storage.runs import run_to_read

    places, overrides = runs_and_overrides([run, *(more or [])])
    with ExitStack() as opened:
        folders = [opened.enter_context(run_to_read(place)) for place in places]
        recipes = [override_recipe(folder.recipe(), overrides, str(folder.config)) for folder in folders]
        if print_config:
            _print_settings(folders, recipes)
        elif dry_run:
            _print_plans(folders, recipes)
        elif len(folders) > 1:
            _evaluate_several(folders, prepare_several(folders, recipes))
        else:
            _evaluate(folders[0], recipes[0])


def _print_settings(folders: Sequence["RunFolder"], recipes: Sequence["Recipe"]) -> None:
    """One YAML document per run."""
    from distxml.config import to_yaml

    for run, recipe in zip(folders, recipes, strict=True):
        if len(folders) > 1:
            typer.echo(f"---\n# {run}")
        typer.echo(to_yaml(recipe), nl=False)


def _print_plans(folders: Sequence["RunFolder"], recipes: Sequence["Recipe"]) -> None:
    from distxml.evaluation.several_runs.evaluate import prepare_several

    if len(folders) > 1:
        prepare_several(folders, recipes)
    for folder, recipe in zip(folders, recipes, strict=True):
        _print_plan(folder, recipe)
    if len(folders) > 1:
        typer.echo(f"over all {len(folders)} runs: would go to {folders[0].named(folders[0].several_runs)}")


def _print_plan(folder: "RunFolder", recipe: "Recipe") -> None:
    from distxml.evaluation.duration import estimate_seconds
    from distxml.evaluation.evaluate import notes_on_finished, remaining_work
    from distxml.evaluation.prepare import prepare
    from distxml.report.wording import duration

    evaluation = prepare(folder, recipe)
    for line in _plan_lines(evaluation):
        typer.echo(line)
    remaining = remaining_work(folder, evaluation)
    for message in notes_on_finished(remaining):
        typer.echo(f"note: {message}")
    tasks = f"{len(remaining.tasks):,} tasks"
    typer.echo(f"left to do: {remaining.passes:,} forward passes in {tasks}, besides those that compute heatmaps")
    if remaining.tasks:
        seconds = estimate_seconds(evaluation, remaining)
        unknown = "not known, as other programs hold the cluster's CPUs or GPUs"
        time = unknown if seconds is None else f"about {duration(seconds)}"
        typer.echo(f"time: {time}; scaling.workers={recipe.scaling.workers} fit")
    typer.echo(f"results: would go to {folder.named(folder.evaluation)}; nothing was written")


def _plan_lines(evaluation: "Evaluation") -> list[str]:
    from distxml.report.wording import left_out_in_words, percent

    settings, plan, scored = evaluation.recipe.evaluation, evaluation.plan, evaluation.scored
    height, width = scored.image_size
    steps_of_size = dict.fromkeys((curve.patch_size, curve.steps) for curve in plan.curves)
    limit = settings.share_limit
    lines = [
        f"model: {scored.checkpoint} ({scored.classifier}, {height}x{width})",
        f"dataset: {evaluation.dataset.folder}, split {settings.split}: {plan.images:,} images, "
        f"{len(plan.curve_keys):,} of them perturbed",
        f"f: {settings.output} of the class {settings.target}, {settings.f} (heatmap: {scored.gating})",
        f"methods: {', '.join(settings.methods)}",
        f"orders: {', '.join(settings.orders)}",
        "patches: " + (", ".join(f"{size} ({steps} steps)" for size, steps in steps_of_size) or "none"),
        f"range: {'patch by patch' if limit is None else f'0 to {percent(limit)} of the image replaced'}",
        f"fills: {', '.join(plan.fills)}",
        f"primary comparison: {_primary_in_words(evaluation)}",
    ]
    if plan.left_out_patch_sizes:
        lines.append(f"note: {left_out_in_words(plan.left_out_patch_sizes, settings)}")
    return lines


def _primary_in_words(evaluation: "Evaluation") -> str:
    from distxml.evaluation.other_gate import has_primary, under_other_gate

    wanted = evaluation.recipe.evaluation.primary
    what = f"{wanted.method} minus {wanted.other}, {wanted.in_words()}"
    if not has_primary(evaluation):
        return f"none, as {what}, would not be computed"
    other = under_other_gate(evaluation)
    return what if other is None else f"{what}; and again under {other.recipe.evaluation.f}"


def _evaluate_several(folders: Sequence["RunFolder"], evaluations: Sequence["Evaluation"]) -> None:
    from distxml.cli.pass_progress import PassProgress
    from distxml.cli.several_runs_tables import print_several
    from distxml.evaluation.evaluate import evaluate_run, interruption
    from distxml.evaluation.several_runs.comparable import notes_on_seeds
    from distxml.evaluation.several_runs.evaluate import summarize_several
    from distxml.signals import interruptible

    for message in notes_on_seeds(folders, evaluations):
        typer.echo(f"note: {message}", err=True)
    for number, (run, evaluation) in enumerate(zip(folders, evaluations, strict=True), 1):
        what = f"evaluating {run} ({number} of {len(folders)})"
        with interruptible(interruption(run)), PassProgress(what) as progress:
            evaluate_run(run, evaluation.recipe, progress.show, progress.say)
        typer.echo(run.named(run.evaluation))
    with interruptible(interruption(folders[0])):
        several = summarize_several(folders, evaluations)
    print_several(several)
    first = folders[0]
    typer.echo(f"{first.named(first.several_runs)}\n{first.named(first.several_runs_table)}")
    typer.echo(f"next: distxml report {shlex.quote(str(first))}")


def _evaluate(folder: "RunFolder", recipe: "Recipe") -> None:
    from distxml.cli.evaluation_tables import print_summary
    from distxml.cli.pass_progress import PassProgress
    from distxml.evaluation.evaluate import evaluate_run, interruption
    from distxml.evaluation.results import CURVES_NAME, HEATMAPS_NAME, IMAGES_NAME, SUMMARY_NAME, TABLE_NAME
    from distxml.signals import interruptible

    with interruptible(interruption(folder)), PassProgress("evaluating") as progress:
        summary = evaluate_run(folder, recipe, progress.show, progress.say)
    print_summary(summary)
    for name in (SUMMARY_NAME, TABLE_NAME, IMAGES_NAME, HEATMAPS_NAME, CURVES_NAME):
        typer.echo(folder.named(folder.evaluation / name))
    typer.echo(f"next: distxml report {shlex.quote(str(folder))}")
