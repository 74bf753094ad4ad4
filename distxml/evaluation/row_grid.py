"""Where in a table the row of each image and setting is, whatever order the rows have."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Positions = NDArray[np.int64]


def row_grid(table: pa.Table, columns: Sequence[str], settings: Sequence[tuple[object, ...]], images: int) -> Positions:
    """Positions of the rows: S settings × n images, the images sorted by key.

    Args:
        table: has `key` and the columns.
        columns: what makes a setting.
        settings: S different ones, a value a column each.
        images: n.

    Raises:
        ValueError: the table does not hold exactly one row for every image and setting.
    """
    keys, image_of_row = _by_key(table["key"])
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
        values, value_of_row = _encoded(table[column])
        number = {value: index for index, value in enumerate(values.to_pylist())}
        absent = len(number)  # a number that no row has
        of_rows = of_rows * (absent + 1) + value_of_row
        wanted = wanted * (absent + 1) + np.array([number.get(one[place], absent) for one in settings], np.int64)
    order = np.argsort(wanted)
    nearest = order[np.searchsorted(wanted, of_rows, sorter=order).clip(max=len(settings) - 1)]
    return np.where(wanted[nearest] == of_rows, nearest, -1)


def _by_key(keys: pa.ChunkedArray) -> tuple[int, Positions]:
    """How many different keys there are, and the place of each row's among them, sorted."""
    values, value_of_row = _encoded(keys)
    place = np.empty(len(values), np.int64)
    place[pc.array_sort_indices(values).to_numpy()] = np.arange(len(values))
    return len(values), place[value_of_row]


def _encoded(column: pa.ChunkedArray) -> tuple[pa.Array, Positions]:
    """The different values of a column without nulls, and which of them each row has."""
    encoded = column.combine_chunks().dictionary_encode()
    return encoded.dictionary, encoded.indices.to_numpy().astype(np.int64)
