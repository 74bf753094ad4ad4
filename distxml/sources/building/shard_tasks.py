"""From the division of the images to the shards that have to be written."""

from collections.abc import Sequence
from pathlib import Path

from distxml.config.dataset import DatasetRecipe
from distxml.data.schema import SPLITS
from distxml.sources.building.shards import ShardTask
from distxml.sources.building.splits import Divided
from distxml.sources.material import Item


def shard_tasks(
    recipe: DatasetRecipe,
    items: Sequence[Item],
    digests: Sequence[str],
    divided: Divided,
    folder: Path,
) -> list[ShardTask]:
    """Files `folder/split/00000.parquet` and on, `rows_per_shard` rows each; a split's last one holds what is left."""
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
