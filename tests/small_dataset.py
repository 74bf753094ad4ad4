"""Writes Parquet datasets row by row, without the package's own builder."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from distxml.data.digest import classes_digest, index_digest, rows_digest
from distxml.data.rows import Row
from distxml.data.schema import METADATA_NAME, ROW_SCHEMA, SPLITS, DatasetMetadata, RowGroup, Shard, Split

Rows = Sequence[Row]


def noise_row(number: int, classes: int = 2, side: int = 8, annotated: bool = True) -> Row:
    """A small PNG whose pixels are a function of its number."""
    rng = np.random.default_rng(number)
    image = cv2.imencode(".png", rng.integers(0, 256, (side, side, 3), dtype=np.uint8))[1].tobytes()
    mask = cv2.imencode(".png", 255 * rng.integers(0, 2, (side, side), dtype=np.uint8))[1].tobytes()
    return Row(f"row-{number:05d}", image, mask if annotated else None, number % classes)


def write_dataset(
    folder: Path,
    rows: Mapping[Split, Rows],
    classes: Sequence[str] = ("no", "yes"),
    rows_per_shard: int = 7,
    rows_per_group: int = 3,
) -> None:
    """A dataset with these rows; the last shard of each split has none."""
    shards = [
        _write_shard(folder, split, number, piece, rows_per_group)
        for split in SPLITS
        for number, piece in enumerate([*_cut(rows.get(split, []), rows_per_shard), []])
    ]
    metadata = DatasetMetadata(
        name="noise & squares",
        classes=tuple(classes),
        classes_sha256=classes_digest(classes),
        counts={
            split: {name: sum(row.label == label for row in rows.get(split, [])) for label, name in enumerate(classes)}
            for split in SPLITS
        },
        annotated={split: sum(row.mask is not None for row in rows.get(split, [])) for split in SPLITS},
        groups=_groups(rows),
        shards=tuple(shards),
        recipe={},
        made_by="a test",
    )
    (folder / METADATA_NAME).write_text(metadata.model_dump_json())


def _groups(rows: Mapping[Split, Rows]) -> dict[Split, int] | None:
    if all(row.group is None for of_split in rows.values() for row in of_split):
        return None
    return {split: len({row.group or row.key for row in rows.get(split, [])}) for split in SPLITS}


def _cut(rows: Rows, size: int) -> list[Rows]:
    return [rows[start : start + size] for start in range(0, len(rows), size)]


def _write_shard(folder: Path, split: Split, number: int, rows: Rows, rows_per_group: int) -> Shard:
    path = folder / split / f"{number:05d}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    content = [
        {
            "key": row.key,
            "image": {"bytes": row.image, "path": row.key},
            "mask": None if row.mask is None else {"bytes": row.mask, "path": row.key},
            "label": row.label,
            "group": row.group,
        }
        for row in rows
    ]
    pq.write_table(pa.Table.from_pylist(content, ROW_SCHEMA), path, row_group_size=rows_per_group)
    return Shard(
        file=f"{split}/{path.name}",
        split=split,
        rows=len(rows),
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        index_sha256=index_digest(*([getattr(row, name) for row in rows] for name in ("key", "label", "group"))),
        groups=tuple(RowGroup(rows=len(part), sha256=rows_digest(part)) for part in _cut(rows, rows_per_group)),
    )
