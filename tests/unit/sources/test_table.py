"""Tables of the user: `.xls` files."""

from pathlib import Path

import pandas
import pytest

from distxml.errors import UserError
from distxml.sources.table import read_xls
from tests.unit.sources.xls_file import DIVISION_BY_ZERO, Cell, write_xls

ROWS: list[list[Cell]] = [
    ["Title"],
    [],
    ["name", "é ü", "count"],
    ["a", None, 3.0],
    [" b ", 2.5, -1.0],
    ["", None, None],
]


def test_texts_and_numbers_as_pandas_reads_them(tmp_path: Path) -> None:
    path = write_xls(tmp_path / "table.xls", ROWS)
    table = read_xls(path, header_row=3)
    assert table.columns == ("name", "é ü", "count")
    assert [row.cells for row in table.rows] == [
        {"name": "a", "é ü": "", "count": "3"},
        {"name": "b", "é ü": "2.5", "count": "-1"},
    ]
    assert [row.where for row in table.rows] == [f"{path}: row 4", f"{path}: row 5"]
    theirs = pandas.read_excel(path, header=2).dropna(how="all")
    assert list(theirs.columns) == list(table.columns)
    assert [float(row.text("count")) for row in table.rows] == theirs["count"].tolist()


def test_an_error_is_not_an_empty_cell_and_truth_is_a_number(tmp_path: Path) -> None:
    path = write_xls(tmp_path / "table.xls", [["a", "b", "c", "d"], [DIVISION_BY_ZERO, True, None, 1e20]])
    assert list(read_xls(path, 1).rows[0].cells.values()) == ["#ERROR", "1", "", "1" + "0" * 20]


def test_many_rows(tmp_path: Path) -> None:
    path = write_xls(tmp_path / "table.xls", [["number"], *([float(number)] for number in range(1000))])
    assert [row.text("number") for row in read_xls(path, 1).rows] == [str(number) for number in range(1000)]


@pytest.mark.parametrize(
    "content", [b"", b"no table", b"<html></html>", b"PK\x03\x04 zip", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"]
)
def test_what_is_no_xls_is_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "table.xls"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"table\.xls: not an Excel .xls file .*source\.table") as caught:
        read_xls(path, 1)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("cut", range(0, 5000, 397))
def test_a_truncated_file_is_one_line_or_read(tmp_path: Path, cut: int) -> None:
    path = write_xls(tmp_path / "table.xls", ROWS)
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(UserError, match=r"table\.xls: "):
        read_xls(path, 3)


def test_too_few_rows_and_a_missing_file(tmp_path: Path) -> None:
    path = write_xls(tmp_path / "table.xls", ROWS)
    with pytest.raises(UserError, match=r"row 9 should name the columns; see source\.header_row"):
        read_xls(path, 9)
    with pytest.raises(UserError, match=r"other\.xls: cannot be read"):
        read_xls(tmp_path / "other.xls", 1)
