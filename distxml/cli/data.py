"""`distxml data`: build and inspect datasets."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from distxml.cli import export_voc
from distxml.cli.track import track_progress

if TYPE_CHECKING:
    from distxml.sources.building.build import Built

app = typer.Typer(help="Build and inspect datasets.", no_args_is_help=True)
app.command(epilog=export_voc.EXAMPLE)(export_voc.export_voc)


@app.command(epilog="Example: distxml data build polygons data/polygons source.images=200")
def build(
    recipe: Annotated[str, typer.Argument(help="YAML file, or a packaged recipe such as `polygons` or `voc`.")],
    out: Annotated[str, typer.Argument(help="Folder or URI to make; it appears when the dataset is complete.")],
    overrides: Annotated[list[str] | None, typer.Argument(help="Settings to change, `a.b=c` each.")] = None,
    processes: Annotated[
        int | None, typer.Option("--workers", min=1, help="Processes that work at once; default: one per CPU.")
    ] = None,
    print_config: Annotated[bool, typer.Option("--print-config", help="Print the resolved recipe and stop.")] = False,
) -> None:
    """Build a Parquet dataset from raw material.

    A build that was stopped resumes where it stopped when the same command is given again.
    """
    from distxml.config import DatasetRecipe, load_settings, to_yaml

    settings = load_settings(DatasetRecipe, recipe, overrides or [], shelf="datasets")
    if print_config:
        typer.echo(to_yaml(settings), nl=False)
        return
    from distxml.sources.building.build import BuildOptions
    from distxml.sources.building.stored import build_at

    options = BuildOptions(
        processes or len(os.sched_getaffinity(0)), track_progress, lambda text: typer.echo(text, err=True)
    )
    try:
        built = build_at(settings, out, options)
    except KeyboardInterrupt:
        typer.echo("Stopped. What is done is kept: the same command resumes there.", err=True)
        raise
    _report(built)


@app.command(epilog="Example: distxml data inspect data/polygons")
def inspect(
    dataset: Annotated[str, typer.Argument(help="Folder made by `distxml data build`, or a URI of one.")],
    out: Annotated[
        Path | None,
        typer.Option(metavar="SHEET.png", help="Default: contact_sheet.png in the dataset, or here."),
    ] = None,
) -> None:
    """Check a dataset's files, print what it holds, and draw images with their masks."""
    from distxml.data.schema import open_dataset

    opened = open_dataset(dataset)
    from distxml.cli.data_summary import counts_table, facts
    from distxml.data.contact_sheet import write_contact_sheet
    from distxml.data.inspect import inspect_dataset

    inspection = inspect_dataset(opened, track_progress)
    sheet = out or (opened.folder.local or Path()) / "contact_sheet.png"
    write_contact_sheet(inspection.examples, opened.metadata.classes, sheet)
    _print_table(counts_table(opened.metadata))
    for line in facts(inspection, opened):
        typer.echo(line)
    typer.echo(f"Contact sheet: {sheet}")


def _report(built: "Built") -> None:
    from distxml.cli.data_summary import counts_table, departures

    dataset = built.dataset
    _print_table(counts_table(dataset.metadata))
    for line in departures(dataset.folder):
        typer.echo(line)
    if not built.anew:
        typer.echo(
            "Built before from the same recipe, so nothing was done; "
            "if its raw material has changed since, delete the folder and build again."
        )
    typer.echo(f"Dataset: {dataset.folder}")


def _print_table(table: object) -> None:
    from rich.console import Console

    Console().print(table)
