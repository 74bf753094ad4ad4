"""Writes rows to Parquet shards, a few rows in memory at a time."""

import hashlib
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from distxml.data.schema import ROW_SCHEMA, Shard, Split
from distxml.sources.material import Row

ROWS_IN_MEMORY = 32


def write_shards(rows: Iterable[Row], folder: Path, split: Split, rows_per_shard: int) -> list[Shard]:
    """Files `folder/split/00000.parquet` and on, `rows_per_shard` rows each; the last holds what is left."""
    (folder / split).mkdir()
    remaining = iter(rows)
    shards: list[Shard] = []
    for first in remaining:
        path = folder / split / f"{len(shards):05d}.parquet"
        count = _write_file(_prepended(first, islice(remaining, rows_per_shard - 1)), path)
        shards.append(Shard(file=f"{split}/{path.name}", split=split, rows=count, sha256=checksum(path)))
    return shards


def checksum(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _write_file(rows: Iterator[Row], path: Path) -> int:
    """Writes all rows; how many they were. Images are compressed already, so Parquet does not compress."""
    count = 0
    with pq.ParquetWriter(path, ROW_SCHEMA, compression="none", use_dictionary=False, write_statistics=False) as writer:
        while group := list(islice(rows, ROWS_IN_MEMORY)):
            writer.write_table(_table(group))
            count += len(group)
    return count


def _table(rows: list[Row]) -> pa.Table:
    columns = {
        "key": [row.key for row in rows],
        "image": [{"bytes": row.image, "path": row.image_name} for row in rows],
        "mask": [None if row.mask is None else {"bytes": row.mask, "path": f"{row.key}.png"} for row in rows],
        "label": [row.label for row in rows],
    }
    return pa.Table.from_pydict(columns, schema=ROW_SCHEMA)


def _prepended(first: Row, rest: Iterable[Row]) -> Iterator[Row]:
    yield first
    yield from rest
