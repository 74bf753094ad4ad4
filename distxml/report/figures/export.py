"""Figures as files: an SVG and a PNG of each, and one file that lists them with their captions."""

from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from distxml import __version__
from distxml.errors import UserError, reason_of
from distxml.files import published_together
from distxml.report.figure import Plate

INDEX_NAME = "figures.json"
SUFFIXES = (".svg", ".png")


class Listed(BaseModel):
    """One figure: the name of its files without their suffix, its title, and what a reader must know."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    title: str
    caption: str


class FigureIndex(BaseModel):
    """`figures.json`; written last, so what it lists is there, whole, and of one run and evaluation."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    made_by: str
    """distxml and its version."""
    scored_sha256: str | None
    """Checksum of the weights that were scored; None where the run was not evaluated."""
    figures: tuple[Listed, ...]


def write_figures(plates: Sequence[Plate], folder: Path, scored_sha256: str | None) -> None:
    """Write all files into `folder` or, should one fail, none; those of an earlier report that are none any more leave.

    Raises:
        UserError: `folder` cannot be written.
    """
    listed = tuple(Listed(name=plate.name, title=plate.title, caption=plate.caption) for plate in plates)
    index = FigureIndex(made_by=f"distxml {__version__}", scored_sha256=scored_sha256, figures=listed)
    try:
        with published_together(folder, INDEX_NAME, withdrawn=_files_listed(folder)) as staging:
            for plate in plates:
                (staging / f"{plate.name}.svg").write_bytes(plate.svg)
                (staging / f"{plate.name}.png").write_bytes(plate.png)
            (staging / INDEX_NAME).write_text(index.model_dump_json(indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise UserError(f"{folder}: cannot be written ({reason_of(error)})") from None


def _files_listed(folder: Path) -> list[str]:
    """Files of the report before; a list that is not ours names none."""
    try:
        index = FigureIndex.model_validate_json((folder / INDEX_NAME).read_bytes())
    except (OSError, ValidationError):
        return []
    names = [f"{figure.name}{suffix}" for figure in index.figures for suffix in SUFFIXES]
    return [name for name in names if Path(name).name == name]
