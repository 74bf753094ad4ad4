"""Tables of the user's, read strictly: CSV and Excel's `.xls`, as texts; every row knows where it stands."""

import csv
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO, StringIO
from pathlib import Path

from distxml.errors import UserError, reason_of

MAX_COLUMNS_SHOWN = 30

ERROR = "#ERROR"
"""Text of an Excel cell that holds an error, such as a division by zero: it is not empty, so it must not read so."""


@dataclass(frozen=True)
class SheetRow:
    """A row; `where` is its file and line for messages, `cells` the stripped texts by column."""

    where: str
    cells: dict[str, str]

    def text(self, column: str) -> str:
        """The cell, empty where there is no such column.

        Raises:
            UserError: it holds characters that cannot be printed.
        """
        text = self.cells.get(column, "")
        if not text.isprintable():
            raise UserError(f"{self.where}: column {column}: {text[:40]!a} cannot be printed; mend the cell")
        return text


@dataclass(frozen=True)
class Table:
    """The columns' names and the rows."""

    path: Path
    columns: tuple[str, ...]
    rows: tuple[SheetRow, ...]

    def require(self, columns: Sequence[str]) -> None:
        """Stop unless all of these are there.

        Raises:
            UserError: naming the first that is not, and those that are.
        """
        for name in columns:
            if name not in self.columns:
                raise UserError(f"{self.path}: no column {name!r}; the columns are: {shown(self.columns)}")


def shown(names: Sequence[str]) -> str:
    """Names for a message."""
    text = ", ".join(name if name.isprintable() else ascii(name) for name in names[:MAX_COLUMNS_SHOWN])
    return text + (", ..." if len(names) > MAX_COLUMNS_SHOWN else "")


def make_table(path: Path, header: Sequence[str], lines: Sequence[tuple[str, Sequence[str]]]) -> Table:
    """A table out of a header and (place, cells) pairs; empty rows are passed over, columns without name dropped.

    Raises:
        UserError: two columns have one name, or a row is longer or shorter than the header.
    """
    names = [name.strip() for name in header]
    columns = tuple(name for name in names if name)
    twice = sorted({name for name in columns if columns.count(name) > 1})
    if twice:
        raise UserError(f"{path}: two columns are called {twice[0]!r}; rename one")
    rows: list[SheetRow] = []
    for where, cells in lines:
        texts = [cell.strip() for cell in cells]
        if not any(texts):
            continue
        if len(texts) != len(names):
            raise UserError(f"{path}: {where}: {len(texts)} cells, but {len(names)} columns; mend the row")
        rows.append(SheetRow(f"{path}: {where}", {name: text for name, text in zip(names, texts, strict=True) if name}))
    return Table(path, columns, tuple(rows))


def read_csv(path: Path, setting: str, delimiter: str = ",", header_row: int = 1) -> Table:
    """The table in `path`, UTF-8 with or without a byte order mark.

    Args:
        path: the file.
        setting: where the user named it, for messages.
        delimiter: character between two cells.
        header_row: record that names the columns, counted from 1; those above are passed over.

    Raises:
        UserError: it is missing, not UTF-8, not CSV, has no header, or a row of another length.
    """
    try:
        content = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise UserError(
            f"{path}: line {line}: not UTF-8 (byte {error.object[error.start]:#04x}); save it as UTF-8"
        ) from None
    except OSError as error:
        raise UserError(f"{setting}: {path}: cannot be read ({reason_of(error)}); set {setting}=FILE") from None
    records = list(_records(path, content, delimiter))
    if len(records) < header_row:
        raise UserError(f"{path}: no row {header_row}, which should name the columns; is the file empty?")
    return make_table(path, records[header_row - 1][1], records[header_row:])


def _records(path: Path, content: str, delimiter: str) -> Iterator[tuple[str, list[str]]]:
    reader = csv.reader(StringIO(content, newline=""), delimiter=delimiter, strict=True)
    line = 1
    try:
        for cells in reader:
            yield f"line {line}", cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise UserError(f"{path}: line {line}: not valid CSV ({error}); mend the line") from None


def read_xls(path: Path, header_row: int) -> Table:
    """The first sheet as texts: whole numbers without a point, dates as `2020-01-31 00:00:00`, empty cells empty.

    Args:
        path: the `.xls` file.
        header_row: row that names the columns, counted from 1.

    Raises:
        UserError: it is missing, not an `.xls` file, or has no such row.
    """
    import pandas  # takes a while, and only this needs it

    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({reason_of(error)}); add it or set source.table") from None
    try:
        sheet = pandas.read_excel(  # pyright: ignore[reportCallIssue]  # its stubs know no engine_kwargs
            BytesIO(content),
            header=None,
            dtype=object,
            na_filter=False,
            engine="xlrd",
            engine_kwargs={"logfile": StringIO()},
        )
    except Exception as error:  # all kinds of errors, on broken files
        reason = reason_of(error)
        remedy = "save it as .xls, or as .csv and set source.table"
        raise UserError(f"{path}: not an Excel .xls file that can be read ({reason}); {remedy}") from None
    rows = [[_text(cell) for cell in row] for row in sheet.itertuples(index=False)]
    if len(rows) < header_row:
        raise UserError(
            f"{path}: {len(rows)} rows, but row {header_row} should name the columns; see source.header_row"
        )
    lines = [(f"row {number}", cells) for number, cells in enumerate(rows, start=1)]
    return make_table(path, rows[header_row - 1], lines[header_row:])


def _text(cell: object) -> str:
    if isinstance(cell, bool):
        return str(int(cell))
    if isinstance(cell, float):  # whole numbers come as int
        return ERROR if math.isnan(cell) else repr(cell)
    return str(cell)
