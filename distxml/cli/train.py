"""`distxml train`: from a recipe to a trained joint model."""

import shlex
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from distxml.config import Recipe

EXAMPLE = "Example: distxml train polygons phases.joint.epochs=20 run.name=longer"

Overrides = Annotated[
    list[str] | None, typer.Argument(metavar="[A.B=C]...", help="Settings that differ from the recipe's.")
]


def train(
    recipe: Annotated[
        str, typer.Argument(help="A YAML file, or a packaged recipe: any, polygons, voc, imagenet_hvz, nih_nci.")
    ],
    overrides: Overrides = None,
    print_config: Annotated[bool, typer.Option("--print-config", help="Show the resolved settings and stop.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything without training.")] = False,
) -> None:
    """Train a classifier and its explainer in three phases; the same command resumes after an interruption."""
    from distxml.config import Recipe, load_settings, to_yaml

    settings = load_settings(Recipe, recipe, overrides or [])
    if print_config:
        typer.echo(to_yaml(settings), nl=False)
    elif dry_run:
        _check(settings)
    else:
        _train(settings)


def _train(settings: "Recipe") -> None:
    from distxml.monitoring.console import TrainingConsole
    from distxml.training.driver import TrainHooks
    from distxml.training.driver import train as run_training

    with TrainingConsole() as console:
        trained = run_training(settings, TrainHooks(console))
    typer.echo(f"{'trained' if trained else 'already complete'}: {settings.run_place}")
    typer.echo(f"next: distxml evaluate {shlex.quote(settings.run_place)}")


def _check(settings: "Recipe") -> None:
    from distxml.cluster import connect
    from distxml.data.inspect import inspect_dataset
    from distxml.storage.runs import run_to_train
    from distxml.training.preflight import check_dataset, parameters, reading_bound, run_one_batch
    from distxml.training.run_claim import check_claim

    dataset = check_dataset(settings)
    with run_to_train(settings.run_place) as run:
        check_claim(run, settings, dataset)
    inspect_dataset(dataset, lambda splits, _title: splits)
    counts = ", ".join(f"{split} {sum(classes.values())}" for split, classes in dataset.metadata.counts.items())
    typer.echo(f"dataset: {dataset.folder} readable ({counts}; classes {', '.join(dataset.metadata.classes)})")
    bound = reading_bound(settings, dataset)
    typer.echo(f"memory: a worker holds at most {bound.images:,} encoded images (about {bound.bytes / 1e6:,.1f} MB)")
    explainer, classifier = parameters(settings, dataset)
    typer.echo(f"model: builds (explainer {explainer:,} parameters, {settings.model.classifier} {classifier:,})")
    losses = run_one_batch(settings, dataset)
    typer.echo("batch: runs through (loss " + ", ".join(f"{name} {value:.3f}" for name, value in losses.items()) + ")")
    scaling = settings.scaling
    connect(scaling.workers, scaling.cpus_per_worker, scaling.gpus_per_worker)
    typer.echo(f"workers: {scaling.workers} fit")
    typer.echo(f"run: would go to {settings.run_place}; nothing was written")
