"""Rows found by image and setting, and refused unless each is there once."""

import random

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from distxml.evaluation.statistics.columns import row_grid

COLUMNS = ("fill", "size")


def table(rows: list[tuple[str, str, int]]) -> pa.Table:
    key, fill, size = zip(*rows, strict=True) if rows else ((), (), ())
    columns = {
        "key": pa.array(key, pa.string()),
        "fill": pa.array(fill, pa.string()),
        "size": pa.array(size, pa.int32()),
    }
    return pa.table(columns)


@given(
    st.sets(st.text(max_size=3), min_size=1, max_size=5),
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 3)), unique=True, max_size=6),
    st.randoms(use_true_random=False),
)
def test_every_row_is_found(keys: set[str], settings: list[tuple[str, int]], generator: random.Random):
    rows = [(key, *setting) for key in keys for setting in settings]
    generator.shuffle(rows)
    grid = row_grid(table(rows), COLUMNS, settings, len(keys))
    assert grid.shape == (len(settings), len(keys))
    found = [[rows[position] for position in positions] for positions in grid]
    assert found == [[(key, *setting) for key in sorted(keys)] for setting in settings]


def test_rows_in_pieces_are_found():
    pieces = pa.concat_tables([table([("b", "x", 1)]), table([]), table([("a", "x", 1)])])
    assert row_grid(pieces, COLUMNS, [("x", 1)], 2).tolist() == [[1, 0]]


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [("a", "x", 1), ("a", "y", 2), ("b", "x", 1)],
        [("a", "x", 1), ("a", "y", 2), ("b", "x", 1), ("b", "x", 1)],
        [("a", "x", 1), ("a", "y", 2), ("b", "x", 1), ("b", "y", 1)],
        [("a", "x", 1), ("a", "y", 2), ("b", "x", 1), ("c", "y", 2)],
        [("a", "x", 1), ("a", "y", 2), ("b", "x", 1), ("b", "y", 2), ("b", "z", 2)],
        [("a", "x", 1), ("a", "y", 2)],
        [(key, *setting) for key in "abc" for setting in (("x", 1), ("y", 2))],
    ],
    ids=["none", "one is missing", "one twice", "another size", "another key", "another fill", "one image", "three"],
)
def test_tables_that_are_not_whole_are_refused(rows: list[tuple[str, str, int]]):
    with pytest.raises(ValueError, match="rows are not one for each of 2 images and 2 settings"):
        row_grid(table(rows), COLUMNS, [("x", 1), ("y", 2)], 2)


def test_rows_without_a_setting_are_refused():
    assert row_grid(table([]), COLUMNS, [], 3).shape == (0, 3)
    with pytest.raises(ValueError, match="1 rows are not one for each of 3 images and 0 settings"):
        row_grid(table([("a", "x", 1)]), COLUMNS, [], 3)
