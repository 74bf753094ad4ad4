"""Encoded rows of the dataset as Arrow holds them: one piece of memory a column, given back as a whole."""

from collections.abc import Sequence
from typing import overload

import pyarrow as pa

from distxml.data.rows import Row


class EncodedRows(Sequence[Row]):
    """The rows of a table with the dataset's schema; a row's bytes are copied out when it is asked for.

    Thousands of single byte strings, freed in another order than they came, would leave holes in the process's memory
    that take as much room as the rows themselves.
    """

    def __init__(self, table: pa.Table) -> None:
        self._keys: list[str] = table["key"].to_pylist()
        self._labels: list[int] = table["label"].to_pylist()
        self._images = _encoded(table["image"])
        self._masks = _encoded(table["mask"])

    def __len__(self) -> int:
        return len(self._keys)

    @overload
    def __getitem__(self, index: int) -> Row: ...

    @overload
    def __getitem__(self, index: slice) -> list[Row]: ...

    def __getitem__(self, index: int | slice) -> Row | list[Row]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        return Row(self._keys[index], self._images[index].as_py(), self._masks[index].as_py(), self._labels[index])


def _encoded(column: pa.ChunkedArray) -> pa.BinaryArray:
    """The `bytes` of a column of encoded files; null where the file is null."""
    files = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
    return files.flatten()[0]  # unlike `field`, it heeds that the struct itself is null
