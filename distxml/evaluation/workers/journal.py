"""The journal of finished rows: one Parquet file per finished task, so that scored rows survive a crash.

The folder is named by a fingerprint of everything that the numbers depend on. Another evaluation with the same
fingerprint reuses its rows, whatever its methods, images, workers and batch size are. A file is named by the SHA-256 of
its content: Parquet's own checksums leave out the headers and the footer, where a bit that flips changes numbers too.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from distxml.digest import digest_of
from distxml.evaluation.scoring.plan import ScoringPlan
from distxml.evaluation.scoring.records import (
    METHODS_SCHEMA,
    ImageRecord,
    MethodRecord,
    images_table,
    methods_table,
    split_methods,
)
from distxml.evaluation.tables import IMAGES_SCHEMA
from distxml.storage.parts import DiskParts, Parts, StoredParts

SETTINGS_NAME = "settings.json"

IMAGE_ROWS, METHOD_ROWS = "images", "methods"

FINGERPRINT = b"distxml.fingerprint"
"""Metadata of a part: the name of the folder that it was written into."""


@dataclass(frozen=True)
class FinishedRows:
    """The rows of a journal.

    Attributes:
        images: with `IMAGES_SCHEMA`, each key once.
        methods: with `METHODS_SCHEMA`, each key and method once.
        parts: names of the files that these rows come from.
        damaged: names of files that cannot be read or have another fingerprint; their rows are computed again.
    """

    images: pa.Table
    methods: pa.Table
    parts: tuple[str, ...]
    damaged: tuple[str, ...]

    @property
    def image_keys(self) -> set[str]:
        """Images whose clean pass is finished."""
        return set(self.images["key"].to_pylist())

    @property
    def pairs(self) -> set[tuple[str, str]]:
        """Keys and methods that are finished."""
        return set(zip(self.methods["key"].to_pylist(), self.methods["method"].to_pylist(), strict=True))


@dataclass(frozen=True)
class RowJournal:
    """The folder of one fingerprint; workers write, the driver reads.

    Attributes:
        folder: has the fingerprint's name.
        stored: where the parts are, if not in `folder`.
    """

    folder: Path
    stored: StoredParts | None = None

    @property
    def parts(self) -> Parts:
        """Where they are."""
        return self.stored or DiskParts(self.folder)

    def named(self, name: str) -> str:
        """What the user calls a part."""
        return f"{self.stored.uri}/{name}" if self.stored else str(self.folder / name)

    def open(self, depends_on: dict[str, object]) -> None:
        """Make the folder, write into it what the numbers depend on, and remove half-written files of a crash."""
        self.parts.prepare()
        self.parts.write(SETTINGS_NAME, (json.dumps(depends_on, indent=2, sort_keys=True) + "\n").encode())

    def add_images(self, records: Sequence[ImageRecord]) -> None:
        """Write one part."""
        self._write(IMAGE_ROWS, images_table(list(records)))

    def add_methods(self, records: Sequence[MethodRecord]) -> None:
        """Write one part; on the disk when this returns."""
        self._write(METHOD_ROWS, methods_table(list(records)))

    def read(self) -> FinishedRows:
        """All finished rows, each once: a worker that died after writing a row has left it to be written again."""
        images, methods = self._read(IMAGE_ROWS, IMAGES_SCHEMA), self._read(METHOD_ROWS, METHODS_SCHEMA)
        return FinishedRows(
            images=_each_once(images.table, ["key"]),
            methods=_each_once(methods.table, ["key", "method"]),
            parts=images.parts + methods.parts,
            damaged=images.damaged + methods.damaged,
        )

    def merge(self, finished: FinishedRows) -> None:
        """Replace the files that `finished` was read from by one file of images and one of methods.

        A file that was written since (by a worker whose driver was killed) stays.
        """
        for kind, table in ((IMAGE_ROWS, finished.images), (METHOD_ROWS, finished.methods)):
            names = [name for name in finished.parts + finished.damaged if name.startswith(f"{kind}-")]
            if len(names) > 1:
                merged = self._write(kind, table)
                for name in names:
                    if name != merged:
                        self.parts.remove(name)

    def _read(self, kind: str, schema: pa.Schema) -> "_Rows":
        names = [name for name in self.parts.names() if name.startswith(f"{kind}-") and name.endswith(".parquet")]
        found = {name: self._part(name, content, schema) for name, content in self.parts.read(names).items()}
        good = {name: table for name, table in found.items() if table is not None}
        return _Rows(
            table=pa.concat_tables([schema.empty_table(), *good.values()]),
            parts=tuple(good),
            damaged=tuple(name for name in found if name not in good),
        )

    def _part(self, name: str, content: bytes | None, schema: pa.Schema) -> pa.Table | None:
        """The rows of a part; None where it is damaged, or was not written by an evaluation with these settings."""
        if content is None or name != _part_name(name.partition("-")[0], content):
            return None
        try:
            table = pq.read_table(pa.BufferReader(content))
            own = (table.schema.metadata or {}).get(FINGERPRINT) == self.folder.name.encode()
            return table.cast(schema) if own else None
        except (OSError, ValueError, pa.ArrowException):
            return None

    def _write(self, kind: str, table: pa.Table) -> str:
        """Write a part; its name."""
        file = pa.BufferOutputStream()
        pq.write_table(self._marked(table), file)
        content = file.getvalue().to_pybytes()
        name = _part_name(kind, content)
        self.parts.write(name, content)
        return name

    def _marked(self, table: pa.Table) -> pa.Table:
        return table.replace_schema_metadata({FINGERPRINT: self.folder.name.encode()})


def _part_name(kind: str, content: bytes) -> str:
    return f"{kind}-{digest_of(content)}.parquet"


@dataclass(frozen=True)
class _Rows:
    """The rows of one kind, as they are in the files; see `FinishedRows`."""

    table: pa.Table
    parts: tuple[str, ...]
    damaged: tuple[str, ...]


def _each_once(table: pa.Table, columns: list[str]) -> pa.Table:
    """The first row of each combination of values."""
    seen: set[tuple[object, ...]] = set()
    kept: list[int] = []
    for place, values in enumerate(zip(*(table[name].to_pylist() for name in columns), strict=True)):
        if values not in seen:
            seen.add(values)
            kept.append(place)
    return table if len(kept) == table.num_rows else table.take(kept)


def collect(plan: ScoringPlan, keys: Collection[str], finished: FinishedRows) -> tuple[pa.Table, pa.Table, pa.Table]:
    """Images, heatmaps and curves of the plan, in the order of their tables; other rows of the journal are left out.

    Args:
        plan: of the split.
        keys: of the split's images.
        finished: what the journal holds.

    Raises:
        RuntimeError: a row is missing.
    """
    images = _rows_of(finished.images, "key", keys).sort_by("key")
    _require_all("images", images, len(keys))
    return images.combine_chunks(), *collect_methods(plan, finished)


def collect_methods(plan: ScoringPlan, finished: FinishedRows) -> tuple[pa.Table, pa.Table]:
    """Heatmaps and curves alone; see `collect`."""
    methods = _rows_of(finished.methods, "key", plan.curve_keys)
    methods = _rows_of(methods, "method", plan.methods)
    _require_all("heatmaps", methods, len(plan.curve_keys) * len(plan.methods))
    return split_methods(_in_order(methods, plan.methods))


def _require_all(kind: str, rows: pa.Table, wanted: int) -> None:
    if rows.num_rows != wanted:
        lacking = wanted - rows.num_rows
        raise RuntimeError(f"{lacking} rows of {kind} are missing after the evaluation; nothing is written")


def _rows_of(table: pa.Table, column: str, names: Collection[str]) -> pa.Table:
    wanted = pa.array(list(names), pa.string())  # without a type, no names are not strings
    return table.filter(pc.field(column).isin(wanted))


def _in_order(methods: pa.Table, names: tuple[str, ...]) -> pa.Table:
    """By key, then in the order of `names`."""
    place = pa.array([names.index(method) for method in methods["method"].to_pylist()], pa.int64())
    placed = methods.append_column("place", place).sort_by([("key", "ascending"), ("place", "ascending")])
    return placed.drop_columns("place")
