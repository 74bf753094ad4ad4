"""`distxml evaluate`: how good a finished run's classifier and explanations are."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from distxml.config import Recipe
    from distxml.config.run_folder import RunFolder

EXAMPLE = "Example: distxml evaluate runs/polygons evaluation.curve_images=100"


def evaluate(
    run: Annotated[Path, typer.Argument(help="Folder of a finished run.")],
    overrides: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[A.B=C]...", help="Settings that differ from the run's: evaluation.*, scaling.*, dataset.path."
        ),
    ] = None,
    print_config: Annotated[bool, typer.Option("--print-config", help="Show the resolved settings and stop.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, without doing it.")] = False,
) -> None:
    """Score a finished run: classification, heat, POMPOM, and AOPC against a random order, with 95% intervals."""
    from distxml.config import to_yaml
    from distxml.config.run_folder import RunFolder
    from distxml.evaluation.request import override_recipe

    folder = RunFolder(run)
    recipe = override_recipe(folder.recipe(), overrides or [], str(folder.config))
    if print_config:
        typer.echo(to_yaml(recipe), nl=False)
    elif dry_run:
        _say_what_would_be_done(folder, recipe)
    else:
        _evaluate(folder, recipe)


def _say_what_would_be_done(folder: "RunFolder", recipe: "Recipe") -> None:
    from distxml.cluster import connect
    from distxml.evaluation.prepare import prepare

    evaluation = prepare(folder, recipe)
    plan, scored = evaluation.plan, evaluation.scored
    height, width = scored.image_size
    typer.echo(f"model: {scored.checkpoint} ({scored.classifier}, {height}x{width})")
    typer.echo(f"dataset: {evaluation.dataset.folder}, split {recipe.evaluation.split}: {plan.images} images")
    typer.echo(f"methods: {', '.join(recipe.evaluation.methods)}")
    sizes = dict.fromkeys((order.patch_size, order.steps) for order in plan.orders)
    typer.echo("patches: " + (", ".join(f"{size} ({steps} steps)" for size, steps in sizes) or "none"))
    typer.echo(f"fills: {', '.join(plan.fills)}")
    if plan.left_out_patch_sizes:
        typer.echo(f"left out, larger than the image: {', '.join(map(str, plan.left_out_patch_sizes))}")
    typer.echo(
        f"passes: {plan.passes:,} forward ({plan.images:,} images once, {len(plan.curve_keys):,} of them perturbed "
        f"with {plan.points:,} each)"
    )
    scaling = recipe.scaling
    connect(scaling.workers, scaling.cpus_per_worker, scaling.gpus_per_worker)
    typer.echo(f"workers: {scaling.workers} fit")
    typer.echo(f"results: would go to {folder.evaluation}; nothing was written")


def _evaluate(folder: "RunFolder", recipe: "Recipe") -> None:
    from distxml.cli.evaluation_tables import print_summary
    from distxml.cli.image_progress import ImageProgress
    from distxml.evaluation.distributed import evaluate_run
    from distxml.evaluation.results import CURVES_NAME, IMAGES_NAME, SUMMARY_NAME, TABLE_NAME

    with ImageProgress("evaluating") as progress:
        summary = evaluate_run(folder, recipe, progress.show)
    print_summary(summary)
    for name in (SUMMARY_NAME, TABLE_NAME, IMAGES_NAME, CURVES_NAME):
        typer.echo(f"{folder.evaluation / name}")
    typer.echo(f"next: distxml report {shlex.quote(str(folder.path))}")
