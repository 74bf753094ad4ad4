"""The rows of a split, by index. Encoded shards stay in memory once read."""

from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from distxml.data.rows import Row, rows_of
from distxml.data.schema import Dataset, Split
from distxml.data.verify import verify_shard


class SplitReader:
    """Random access to a split's rows; `rows[i]` is the i-th row in reading order.

    Each shard is checked against its checksum and read once, when one of its rows is first asked for; its encoded
    bytes (not pixels) are then kept.
    """

    def __init__(self, dataset: Dataset, split: Split) -> None:
        self.shards = dataset.shards(split)
        self.classes = len(dataset.metadata.classes)
        self.starts = np.cumsum([0] + [shard.rows for _, shard in self.shards])
        self._verified_path = lru_cache(maxsize=None)(self._verify)
        self._rows_of_shard = lru_cache(maxsize=None)(self._read_shard)

    def __len__(self) -> int:
        return int(self.starts[-1])

    def __getitem__(self, index: int) -> Row:
        if not 0 <= index < len(self):
            raise IndexError(index)
        shard = int(np.searchsorted(self.starts, index, side="right")) - 1
        return self._rows_of_shard(shard)[index - int(self.starts[shard])]

    def _verify(self, index: int) -> Path:
        path, shard = self.shards[index]
        verify_shard(path, shard, self.classes)
        return path

    def _read_shard(self, index: int) -> list[Row]:
        return rows_of(pq.read_table(self._verified_path(index)))

    def labels(self) -> list[int]:
        """Labels of all rows, in reading order; only that column is read."""
        paths = [self._verified_path(index) for index in range(len(self.shards))]
        return [int(value) for path in paths for value in pq.read_table(path, columns=["label"])["label"].to_pylist()]
