"""A table of numbers as the page shows it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import compress


@dataclass(frozen=True)
class Cell:
    """A number, a smaller line under it, and whether it stands out."""

    text: str
    note: str = ""
    sure: bool = False


NONE = Cell("–")


@dataclass(frozen=True)
class TableRow:
    """A name, a smaller line under it, and one cell per column; `own` makes it stand out: what the report is about."""

    name: str
    cells: Sequence[Cell]
    note: str = ""
    own: bool = False


@dataclass(frozen=True)
class NumberTable:
    """A title, how to read it, what the rows are, the columns and the rows."""

    title: str
    about: str
    corner: str
    columns: Sequence[str]
    rows: Sequence[TableRow] = field(default_factory=list)

    def without_empty_columns(self) -> "NumberTable":
        """The same without the columns that hold nothing in any row."""
        held = [any(row.cells[column] != NONE for row in self.rows) for column in range(len(self.columns))]
        rows = [replace(row, cells=list(compress(row.cells, held))) for row in self.rows]
        return replace(self, columns=list(compress(self.columns, held)), rows=rows)
