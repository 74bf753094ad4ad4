"""Columns that hold null where an image has no value, as sums and counts."""

import math

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Values = NDArray[np.float64]


def values_and_presence(table: pa.Table, name: str) -> tuple[Values, Values]:
    """A column's values with 0 for null, and 1 where there is one."""
    column = table[name]
    return pc.fill_null(column, 0.0).to_numpy(), column.is_valid().to_numpy().astype(np.float64)


def known(value: float) -> float | None:
    """None for what is not defined or infinite."""
    return float(value) if math.isfinite(value) else None
