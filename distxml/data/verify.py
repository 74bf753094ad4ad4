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
        verify_shard(path, shard, len(dataset.metadata.classes))
        for batch in pq.ParquetFile(path).iter_batches(batch_size=ROWS_IN_MEMORY):
            yield from rows_of(pa.Table.from_batches([batch]))


def verify_shard(path: Path, shard: Shard, classes: int) -> None:
    """Check that a shard is the file that was built, and that its labels are indices into the classes.

    Raises:
        UserError: its checksum, its columns, its labels or the number of its rows are wrong, or it cannot be read.
    """
    try:
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != shard.sha256:
            raise UserError(
                f"{path}: this shard was changed after it was built (SHA-256 {found[:12]}..., not "
                f"{shard.sha256[:12]}...); build the dataset again"
            )
        parquet = pq.ParquetFile(path)
        right = parquet.schema_arrow == ROW_SCHEMA and parquet.metadata.num_rows == shard.rows
        labels = parquet.read(["label"])["label"].to_pylist() if right else []
    except (OSError, ValueError, pa.ArrowException) as error:
        reason = str(error).split("\n")[0]
        raise UserError(f"{path}: this shard cannot be read ({reason}); build the dataset again") from None
    if not right:
        raise UserError(f"{path}: not {shard.rows} rows of a distxml dataset; build the dataset again")
    if not all(0 <= label < classes for label in labels):
        raise UserError(f"{path}: a label is not among the {classes} classes; build the dataset again")
