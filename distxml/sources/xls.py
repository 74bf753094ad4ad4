"""Reads the first sheet of an old Excel file, which is not trusted."""

from io import StringIO
from pathlib import Path
from typing import Any

import xlrd

from distxml.errors import UserError
from distxml.sources.table import Table, make_table


def read_xls(path: Path, header_row: int) -> Table:
    """The first sheet as texts: whole numbers without a point, empty cells as empty texts.

    Args:
        path: the `.xls` file.
        header_row: row that names the columns, counted from 1.

    Raises:
        UserError: it is missing, not an `.xls` file, or has no such row.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror or error}); add it or set source.table") from None
    try:
        book: Any = xlrd.open_workbook(file_contents=content, logfile=StringIO())
        sheet: Any = book.sheet_by_index(0)
        rows = [[_text(cell) for cell in sheet.row(number)] for number in range(sheet.nrows)]
    except Exception as error:  # xlrd raises all kinds of errors on broken files
        reason = str(error).split("\n")[0] or type(error).__name__
        remedy = "save it as .xls, or as .csv and set source.table"
        raise UserError(f"{path}: not an Excel .xls file that can be read ({reason}); {remedy}") from None
    if len(rows) < header_row:
        raise UserError(
            f"{path}: {len(rows)} rows, but row {header_row} should name the columns; see source.header_row"
        )
    lines = [(f"row {number}", cells) for number, cells in enumerate(rows, start=1)]
    return make_table(path, rows[header_row - 1], lines[header_row:])


def _text(cell: Any) -> str:
    if cell.ctype == xlrd.XL_CELL_ERROR:
        return str(xlrd.error_text_from_code.get(cell.value, "#ERROR"))
    if isinstance(cell.value, float):
        return str(int(cell.value)) if cell.value.is_integer() else repr(cell.value)
    return str(cell.value)
