"""Writes one Parquet shard, a row group in memory at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from distxml.config.dataset import DatasetRecipe
from distxml.config.images import ImageRules
from distxml.data.digest import index_digest, rows_digest
from distxml.data.schema import ROW_SCHEMA, SPLITS, RowGroup, Shard, Split
from distxml.digest import file_digest
from distxml.errors import UserError
from distxml.files import whole_file
from distxml.sources.building.splits import Divided
from distxml.sources.material import Item, SourceRow, Unusable


@dataclass(frozen=True)
class ShardTask:
    """One shard to write, in any process.

    Attributes:
        folder: the dataset in making.
        file: the shard's path below it, with `/`.
        split: split that its rows belong to.
        items: its rows, in order.
        digests: `rows_digest` of each row when it was checked; empty where nothing was checked.
        rules: for the images.
        rows_per_group: images in a row group.
    """

    folder: Path
    file: str
    split: Split
    items: tuple[Item, ...]
    digests: tuple[str, ...]
    rules: ImageRules
    rows_per_group: int


@dataclass(frozen=True)
class WrittenShard:
    """A shard that is on the disk, and how many of its rows have a mask."""

    shard: Shard
    annotated: int


def shard_tasks(
    recipe: DatasetRecipe,
    items: Sequence[Item],
    digests: Sequence[str],
    divided: Divided,
    folder: Path,
) -> list[ShardTask]:
    """Files `folder/split/00000.parquet` and on, `rows_per_shard` rows each; a split's last one holds what is left.

    Args:
        recipe: says how many rows a shard and a row group have.
        items: of the dataset.
        digests: of their rows, where they were checked; else empty.
        divided: which items are in which split.
        folder: the dataset in making.
    """
    tasks: list[ShardTask] = []
    for split in SPLITS:
        indices = divided[split]
        for number, start in enumerate(range(0, len(indices), recipe.rows_per_shard)):
            chosen = [int(index) for index in indices[start : start + recipe.rows_per_shard]]
            tasks.append(
                ShardTask(
                    folder=folder,
                    file=f"{split}/{number:05d}.parquet",
                    split=split,
                    items=tuple(items[index] for index in chosen),
                    digests=tuple(digests[index] for index in chosen) if digests else (),
                    rules=recipe.images,
                    rows_per_group=recipe.rows_per_group,
                )
            )
    return tasks


def write_shard(task: ShardTask) -> WrittenShard:
    """Writes the shard; it is complete where it is there.

    Raises:
        UserError: an image changed after it was checked.
    """
    path = task.folder / task.file
    path.parent.mkdir(exist_ok=True)
    groups: list[RowGroup] = []
    annotated = 0
    with (
        whole_file(path) as file,
        pq.ParquetWriter(file, ROW_SCHEMA, compression="none", use_dictionary=False, write_statistics=False) as writer,
    ):  # images are compressed already, so Parquet does not compress
        for rows in _groups(task):
            writer.write_table(_table(rows), row_group_size=task.rows_per_group)
            groups.append(RowGroup(rows=len(rows), sha256=rows_digest(rows)))
            annotated += sum(row.mask is not None for row in rows)
    items = task.items
    index = index_digest(*([getattr(item, name) for item in items] for name in ("key", "label", "group")))
    shard = Shard(
        file=task.file,
        split=task.split,
        rows=len(task.items),
        sha256=file_digest(path),
        index_sha256=index,
        groups=tuple(groups),
    )
    return WrittenShard(shard, annotated)


def _groups(task: ShardTask) -> Iterator[list[SourceRow]]:
    for start in range(0, len(task.items), task.rows_per_group):
        numbers = range(start, min(start + task.rows_per_group, len(task.items)))
        yield [_row(task, number) for number in numbers]


def _row(task: ShardTask, number: int) -> SourceRow:
    item = task.items[number]
    changed = UserError(f"{item.name}: changed while the dataset was being built; leave the files alone and try again")
    try:
        row = item.row(task.rules)
    except Unusable:
        raise changed from None
    if task.digests and rows_digest([row]) != task.digests[number]:
        raise changed
    return row


def _table(rows: list[SourceRow]) -> pa.Table:
    columns = {
        "key": [row.key for row in rows],
        "image": [{"bytes": row.image, "path": row.image_name} for row in rows],
        "mask": [None if row.mask is None else {"bytes": row.mask, "path": f"{row.key}.png"} for row in rows],
        "label": [row.label for row in rows],
        "group": [row.group for row in rows],
    }
    return pa.Table.from_pydict(columns, schema=ROW_SCHEMA)
