"""Reads a dataset from end to end and checks that it is what was built."""

from collections.abc import Iterator

from distxml.data.reader import SplitReader
from distxml.data.rows import Row
from distxml.data.schema import Dataset, Split


def verified_rows(dataset: Dataset, split: Split) -> Iterator[Row]:
    """The rows of a split in reading order; a row group in memory at a time.

    Raises:
        UserError: a shard is not the file that was built, byte for byte.
    """
    reader = SplitReader(dataset, split)
    for shard in reader.shards:
        found = reader.files.digest(shard)
        if found != shard.sha256:
            difference = f"(SHA-256 {found[:12]}..., not {shard.sha256[:12]}...)"
            raise reader.files.unusable(shard, f"this shard was changed after it was built {difference}")
    reader.index()
    yield from reader.rows(0, len(reader))
