"""Columns of the evaluation's tables as arrays, and the grid of their rows: settings × images."""

import math
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Values = NDArray[np.float64]

Indices = NDArray[np.int64]


def values_and_presence(table: pa.Table, name: str) -> tuple[Values, Values]:
    """A column's values with 0 for null, and 1 where there is one."""
    column = table[name]
    return pc.fill_null(column, 0.0).to_numpy(), column.is_valid().to_numpy().astype(np.float64)


def encoded(column: pa.ChunkedArray) -> tuple[list[object], Indices]:
    """The different values of a column without nulls, and which of them each row has."""
    array = column.combine_chunks().dictionary_encode()
    return array.dictionary.to_pylist(), array.indices.to_numpy().astype(np.int64)


def list_lengths(column: pa.ChunkedArray) -> Indices:
    """How many values each row's list has."""
    return np.concatenate([np.zeros(0, np.int64), *[chunk.value_lengths().to_numpy() for chunk in column.chunks]])


def known(value: float) -> float | None:
    """None for what is not defined or infinite."""
    return float(value) if math.isfinite(value) else None


Positions = NDArray[np.int64]


def row_grid(table: pa.Table, columns: Sequence[str], settings: Sequence[tuple[object, ...]], images: int) -> Positions:
    """Positions of the rows: S settings × n images, the images sorted by key.

    Args:
        table: has `key` and the columns.
        columns: what makes a setting.
        settings: S different ones, each one value per column.
        images: n.

    Raises:
        ValueError: the table does not hold exactly one row for every image and setting.
    """
    keys, image_of_row = _by_key(table)
    setting_of_row = _settings(table, columns, settings)
    grid = np.full((len(settings), images), -1, np.int64)
    if keys <= images and (setting_of_row >= 0).all():
        grid[setting_of_row, image_of_row] = np.arange(table.num_rows)
    if table.num_rows != grid.size or (grid < 0).any():
        raise ValueError(f"{table.num_rows} rows are not one for each of {images} images and {len(settings)} settings")
    return grid


def _settings(table: pa.Table, columns: Sequence[str], settings: Sequence[tuple[object, ...]]) -> Positions:
    """Which of the settings each row has; -1 for none of them."""
    if not settings:
        return np.full(table.num_rows, -1, np.int64)
    of_rows, wanted = np.zeros(table.num_rows, np.int64), np.zeros(len(settings), np.int64)
    for place, column in enumerate(columns):
        values, value_of_row = encoded(table[column])
        number = {value: index for index, value in enumerate(values)}
        absent = len(number)  # a number that no row has
        of_rows = of_rows * (absent + 1) + value_of_row
        wanted = wanted * (absent + 1) + np.array([number.get(one[place], absent) for one in settings], np.int64)
    order = np.argsort(wanted)
    nearest = order[np.searchsorted(wanted, of_rows, sorter=order).clip(max=len(settings) - 1)]
    return np.where(wanted[nearest] == of_rows, nearest, -1)


def _by_key(table: pa.Table) -> tuple[int, Positions]:
    """How many different keys there are, and the place of each row's among them, sorted."""
    keys, key_of_row = encoded(table["key"])
    place = np.empty(len(keys), np.int64)
    place[sorted(range(len(keys)), key=lambda index: str(keys[index]))] = np.arange(len(keys))
    return len(keys), place[key_of_row]
