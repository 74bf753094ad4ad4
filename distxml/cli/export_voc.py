"""`distxml data export-voc`: a polygons dataset as Pascal VOC."""

from pathlib import Path
from typing import Annotated

import typer

EXAMPLE = "Example: distxml data export-voc polygons data/polygons-voc source.images=200"

Recipe = Annotated[str, typer.Argument(help="YAML file, or a packaged recipe's name, such as `polygons`.")]
Out = Annotated[Path, typer.Argument(help="Folder to make; it appears when the export is complete.")]
Overrides = Annotated[list[str] | None, typer.Argument(help="Settings to change, `a.b=c` each.")]


def export_voc(recipe: Recipe, out: Out, overrides: Overrides = None) -> None:
    """Draw a polygons dataset as Pascal VOC: PNG files, and one XML per image with every shape's box and polygon."""
    from distxml.cli.track import track_progress
    from distxml.config import DatasetRecipe, load_settings

    settings = load_settings(DatasetRecipe, recipe, overrides or [], shelf="datasets")
    from distxml.sources.polygons_as_voc import export_voc as write

    written = write(settings, out, track_progress)
    for name, count in written.counts.items():
        typer.echo(f"{name}: {count} images")
    typer.echo(f"Images: {written.images}")
    typer.echo(f"Annotations: {written.annotations}")
