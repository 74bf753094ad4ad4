"""`distxml report`: a run as one HTML file, and its figures."""

from typing import Annotated

import typer

EXAMPLE = "Example: distxml report runs/polygons"

Run = Annotated[str, typer.Argument(metavar="RUN", help="Folder of the run, made by `distxml train`, or its URI.")]


def report(run: Run) -> None:
    """Write RUN/report.html (training curves, scores, heatmaps; needs no network) and RUN/figures/ (SVG and PNG)."""
    from distxml.cli.track import track_progress
    from distxml.report.document import write_report
    from distxml.storage.runs import run_to_read

    with run_to_read(run) as folder:
        written = write_report(folder, track_progress)
        for notice in written.notices:
            typer.echo(f"note: {notice}", err=True)
        typer.echo(folder.named(written.path))
        if written.figures is not None:
            typer.echo(folder.named(written.figures))
