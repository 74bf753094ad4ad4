"""`distxml explain`: heatmaps of the user's own images."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

EXAMPLE = "Example: distxml explain runs/polygons photo.jpg --out explanations"

if TYPE_CHECKING:
    from distxml.explain import Explanations

Run = Annotated[str, typer.Argument(metavar="RUN", help="Folder of the run, made by `distxml train`, or its URI.")]
Images = Annotated[list[Path], typer.Argument(metavar="IMAGE", help="Image files (JPEG, PNG, ...).")]
Out = Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for the pictures.")]
Checkpoint = Annotated[
    Literal["last", "best_loss", "best_accuracy"],
    typer.Option("--checkpoint", help="Which of the joint phase's checkpoints explains."),
]


def explain(run: Run, images: Images, out: Out = Path("explanations"), checkpoint: Checkpoint = "last") -> None:
    """Classify images and write a heatmap and an overlay of each, with `explanations.json`.

    Images are turned upright as their EXIF orientation says; more than 8 bits per channel are refused.
    """
    from distxml.explain import explain_images
    from distxml.storage.runs import run_to_read

    with run_to_read(run) as folder:
        explanations = explain_images(folder, images, out, checkpoint)
    _print_table(explanations)
    typer.echo(explanations.index)


def _print_table(explanations: "Explanations") -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table()
    for name in ("image", "class", "probability", "mean heat", "heatmap"):
        table.add_column(name, overflow="fold")  # a long path keeps its end
    for one in explanations.images:
        probability = one.probabilities[one.predicted]
        # Text, because a file name may hold rich's markup
        table.add_row(
            Text(one.file), Text(one.predicted), f"{probability:.3f}", f"{one.mean_heat:.3f}", Text(one.heatmap)
        )
    Console().print(table)
