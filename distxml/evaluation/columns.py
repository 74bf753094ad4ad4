"""Columns of the tables as arrays."""

import math

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
