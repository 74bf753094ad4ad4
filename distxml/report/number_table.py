"""A table of numbers as the page shows it."""

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Cell:
    """A number, a smaller line under it, and whether it stands out."""

    text: str
    note: str = ""
    sure: bool = False


@dataclass(frozen=True)
class Row:
    """A name, a smaller line under it, and a cell a column."""

    name: str
    cells: Sequence[Cell]
    note: str = ""


@dataclass(frozen=True)
class NumberTable:
    """A title, how to read it, what the rows are, the columns and the rows."""

    title: str
    about: str
    corner: str
    columns: Sequence[str]
    rows: Sequence[Row] = field(default_factory=list)


NONE = Cell("–")
