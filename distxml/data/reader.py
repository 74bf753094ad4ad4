"""The rows of a split, a row group at a time; nothing is kept."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from distxml.data.digest import index_digest, rows_digest
from distxml.data.encoded_rows import EncodedRows
from distxml.data.rows import Row
from distxml.data.schema import Dataset, Shard, Split
from distxml.data.shard_files import ShardFiles


@dataclass(frozen=True)
class SplitIndex:
    """Key and label of each row of a split, in reading order."""

    keys: list[str]
    labels: list[int]


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
        shard, group = self._places[number]
        rows = EncodedRows(self.files.read_group(shard, group))
        if rows_digest(rows) != shard.groups[group].sha256:
            raise self.files.unusable(shard, "this shard was changed after it was built (checksum of its rows)")
        return rows

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
        """Keys and labels; images and masks are not read.

        Raises:
            UserError: see `group`; or a label is not among the classes.
        """
        keys: list[str] = []
        labels: list[int] = []
        for shard in self.shards:
            table = self.files.read_columns(shard, ["key", "label"])
            self._append(shard, table["key"].to_pylist(), table["label"].to_pylist(), keys, labels)
        return SplitIndex(keys, labels)

    def _append(self, shard: Shard, new_keys: list[str], new: list[int], keys: list[str], labels: list[int]) -> None:
        if index_digest(new_keys, new) != shard.index_sha256:
            raise self.files.unusable(shard, "this shard was changed after it was built (checksum of its labels)")
        classes = len(self.dataset.metadata.classes)
        if not all(0 <= label < classes for label in new):
            raise self.files.unusable(shard, f"a label is not among the {classes} classes")
        keys += new_keys
        labels += new
