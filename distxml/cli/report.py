"""`distxml report`: a run as one HTML file, and its figures."""

from pathlib import Path
from typing import Annotated

import typer

EXAMPLE = "Example: distxml report runs/polygons"

Run = Annotated[Path, typer.Argument(metavar="RUN", help="Folder of the run, made by `distxml train`.")]


def report(run: Run) -> None:
    """Write RUN/report.html (training curves, scores, heatmaps; needs no network) and RUN/figures/ (SVG and PNG)."""
    from distxml.cli.track import track_progress
    from distxml.config.run_folder import RunFolder
    from distxml.report.document import write_report

    written = write_report(RunFolder(run), track_progress)
    for notice in written.notices:
        typer.echo(f"note: {notice}", err=True)
    typer.echo(written.path)
    if written.figures is not None:
        typer.echo(written.figures)
