"""The rows of a split, one row group at a time; nothing is kept."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from distxml.data.rows import EncodedRows, Row
from distxml.data.schema import Dataset, Split
from distxml.data.shard_files import ShardFiles, SplitIndex

SHARDS_AT_ONCE = 8
"""Shards whose keys, labels and groups are read at the same time."""


class SplitReader:
    """Reads row groups and checks each against the checksum that was noted when the dataset was built.

    Attributes:
        group_rows: rows of each row group of the split, in reading order.
        starts: index of each group's first row; one entry more than groups, the last is the number of rows.
    """

    def __init__(self, dataset: Dataset, split: Split, cache: Path | None = None) -> None:
        """`cache`: see `ShardFiles`."""
        self.dataset = dataset
        self.shards = dataset.shards(split)
        self.files = ShardFiles(dataset.folder, cache)
        self._places = [(shard, number) for shard in self.shards for number in range(len(shard.groups))]
        self.group_rows = [shard.groups[number].rows for shard, number in self._places]
        self.starts = np.cumsum([0, *self.group_rows])

    def __len__(self) -> int:
        return int(self.starts[-1])

    def group(self, number: int) -> EncodedRows:
        """The rows of a row group.

        Raises:
            UserError: the shard cannot be read, or was changed after it was built.
        """
        return self.files.read_group(*self._places[number])

    def group_of(self, index: int) -> int:
        """The row group that row `index` is in."""
        return int(np.searchsorted(self.starts, index, side="right")) - 1

    def rows(self, start: int, stop: int) -> Iterator[Row]:
        """Rows `start` up to but without `stop`, in reading order."""
        yield from self.rows_at(range(start, stop))

    def rows_at(self, indices: Iterable[int]) -> Iterator[Row]:
        """Rows by index; a group is read once where its rows follow each other."""
        number, rows = -1, None
        for index in indices:
            if not 0 <= index < len(self):
                raise IndexError(index)
            if rows is None or self.group_of(index) != number:
                number = self.group_of(index)
                rows = self.group(number)
            yield rows[index - int(self.starts[number])]

    def index(self) -> SplitIndex:
        """Keys, labels and groups; images and masks are not read.

        Raises:
            UserError: see `group`; or a label is not among the classes.
        """
        with ThreadPoolExecutor(SHARDS_AT_ONCE) as pool:
            parts = list(pool.map(self.files.read_index, self.shards))
        classes = len(self.dataset.metadata.classes)
        for shard, part in zip(self.shards, parts, strict=True):
            if not all(0 <= label < classes for label in part.labels):
                raise self.files.unusable(shard, f"a label is not among the {classes} classes")
        return SplitIndex(
            keys=[key for part in parts for key in part.keys],
            labels=[label for part in parts for label in part.labels],
            groups=[group for part in parts for group in part.groups],
        )
