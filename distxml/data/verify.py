"""Reads a dataset from end to end and checks that it is what was built."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from distxml.data.rows import Row, rows_of
from distxml.data.schema import ROW_SCHEMA, Dataset, Shard, Split
from distxml.errors import UserError

ROWS_IN_MEMORY = 32


def verified_rows(dataset: Dataset, split: Split) -> Iterator[Row]:
    """The rows of a split in reading order; a few of them in memory at a time.

    Raises:
        UserError: a shard is not the file that was built.
    """
    for path, shard in dataset.shards(split):
        _verify(path, shard)
        for batch in pq.ParquetFile(path).iter_batches(batch_size=ROWS_IN_MEMORY):
            yield from rows_of(pa.Table.from_batches([batch]))


def _verify(path: Path, shard: Shard) -> None:
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != shard.sha256:
        raise UserError(
            f"{path}: this shard was changed after it was built (SHA-256 {found[:12]}..., not {shard.sha256[:12]}...); "
            "build the dataset again"
        )
    metadata = pq.ParquetFile(path)
    if metadata.schema_arrow != ROW_SCHEMA or metadata.metadata.num_rows != shard.rows:
        raise UserError(f"{path}: not {shard.rows} rows of a distxml dataset; build the dataset again")
