"""Opens a dataset's shards: on this machine, at a URI, or from a local copy of what lies at a URI."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from distxml.data.digest import index_digest, rows_digest
from distxml.data.location import Location
from distxml.data.rows import EncodedRows
from distxml.data.schema import ROW_SCHEMA, Shard
from distxml.digest import file_digest, stream_digest
from distxml.errors import InfrastructureError, UserError, reason_of
from distxml.files import remove_unfinished, whole_file
from distxml.locks import locked

Part = TypeVar("Part")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SplitIndex:
    """Key, label and group of each row, in reading order; None: an image by itself."""

    keys: list[str]
    labels: list[int]
    groups: list[str | None]


class ShardFiles:
    """Reads parts of shards and checks what it reads. Safe to use from several threads.

    With a `cache`, a shard at a URI is copied there, whole and checked, when one of its rows is first needed; it is
    named by its checksum, so that any number of runs and workers share it. A copy that has suffered since is made
    again. Where the disk is full the shard is read from the URI instead.
    """

    def __init__(self, folder: Location, cache: Path | None) -> None:
        self.folder = folder
        self.cache = None if folder.local is not None else cache
        self._footers: dict[str, pq.FileMetaData] = {}
        self._cache_failed = threading.Event()

    def read_group(self, shard: Shard, group: int) -> EncodedRows:
        """A row group.

        Raises:
            UserError: the shard cannot be read or is not what was built.
        """
        return self._again_from_the_source(shard, lambda: self._group(shard, group))

    def read_index(self, shard: Shard) -> SplitIndex:
        """Keys, labels and groups of all rows; images and masks are not read.

        Raises:
            UserError: see `read_group`.
        """
        return self._again_from_the_source(shard, lambda: self._index(shard))

    def _group(self, shard: Shard, group: int) -> EncodedRows:
        rows = EncodedRows(self._read(shard, lambda file: file.read_row_group(group)))
        if rows_digest(rows) != shard.groups[group].sha256:
            raise self.unusable(shard, "this shard was changed after it was built (checksum of its rows)")
        return rows

    def _index(self, shard: Shard) -> SplitIndex:
        table = self._read(shard, lambda file: file.read(["key", "label", "group"]))
        index = SplitIndex(*(table[name].to_pylist() for name in ("key", "label", "group")))
        if index_digest(index.keys, index.labels, index.groups) != shard.index_sha256:
            raise self.unusable(shard, "this shard was changed after it was built (checksum of its labels and groups)")
        return index

    def _again_from_the_source(self, shard: Shard, read: Callable[[], Part]) -> Part:
        """What `read` reads; should the local copy be at fault, once more, from a new one."""
        try:
            return read()
        except UserError:
            if not self._drop_damaged_copy(shard):
                raise
            return read()

    def _drop_damaged_copy(self, shard: Shard) -> bool:
        if self.cache is None or not self._copy_of(shard, self.cache).is_file():
            return False
        copy = self._copy_of(shard, self.cache)
        damaged = file_digest(copy) != shard.sha256
        if damaged:
            log.warning("%s: this copy of %s is damaged; fetching it again", copy, self.folder.file(shard.file))
            self._footers.pop(shard.file, None)
            copy.unlink(missing_ok=True)
        return damaged

    def _read(self, shard: Shard, part: Callable[[pq.ParquetFile], pa.Table]) -> pa.Table:
        try:
            with pq.ParquetFile(self._open(shard), metadata=self._footers.get(shard.file)) as file:
                self._footers[shard.file] = file.metadata
                rows = _rows_of_groups(file.metadata)
                right = file.schema_arrow == ROW_SCHEMA and rows == [group.rows for group in shard.groups]
                if right:
                    return self._without_nulls(shard, part(file))
        except (OSError, ValueError, pa.ArrowException) as error:
            raise self.unusable(shard, f"this shard cannot be read ({reason_of(error)})") from None
        raise self.unusable(shard, f"not {shard.rows} rows of a distxml dataset")

    def _without_nulls(self, shard: Shard, table: pa.Table) -> pa.Table:
        """Only a mask or a group may be null."""
        columns = {name: table[name] for name in table.column_names if name not in ("mask", "group")}
        if "image" in columns:
            columns["image.bytes"] = columns["image"].combine_chunks().flatten()[0]
        for name, column in columns.items():
            if column.null_count:
                raise self.unusable(shard, f"a row has no {name}")
        return table

    def unusable(self, shard: Shard, reason: str) -> UserError:
        """The error that names a shard."""
        return InfrastructureError(f"{self.folder.file(shard.file)}: {reason}; build the dataset again")

    def digest(self, shard: Shard) -> str:
        """SHA-256 of the shard's file where it lies, hexadecimal.

        Raises:
            UserError: it cannot be read.
        """
        try:
            return self.folder.digest(shard.file)
        except (OSError, pa.ArrowException) as error:
            raise self.unusable(shard, f"this shard cannot be read ({reason_of(error)})") from None

    def _open(self, shard: Shard) -> pa.NativeFile | Path:
        local = self.folder.local
        if local is not None:
            return local / shard.file
        if self.cache is not None and not self._cache_failed.is_set():
            try:
                return self._cached(shard, self.cache)
            except OSError as error:
                self._cache_failed.set()
                message = "dataset.cache=%s: cannot be written (%s); reading from %s"
                log.warning(message, self.cache, reason_of(error), self.folder)
        return self.folder.system.open_input_file(self.folder.path(shard.file))

    def _cached(self, shard: Shard, cache: Path) -> Path:
        """The local copy; made now if it is not there yet, by one process of this machine."""
        copy = self._copy_of(shard, cache)
        if copy.is_file():
            return copy
        with locked(cache / f"{shard.sha256}.lock"):
            if not copy.is_file():
                remove_unfinished(cache, copy.name)
                self._copy(shard, copy)
        return copy

    def _copy_of(self, shard: Shard, cache: Path) -> Path:
        return cache / f"{shard.sha256}.parquet"

    def _copy(self, shard: Shard, copy: Path) -> None:
        with self.folder.system.open_input_file(self.folder.path(shard.file)) as source, whole_file(copy) as target:
            if stream_digest(source, target) != shard.sha256:
                raise self.unusable(shard, "this shard was changed after it was built")


def _rows_of_groups(footer: pq.FileMetaData) -> list[int]:
    """Rows of each row group; a file without rows may have an empty group, or none."""
    rows = [footer.row_group(number).num_rows for number in range(footer.num_row_groups)]
    return rows if footer.num_rows else []
