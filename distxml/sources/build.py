"""Builds a Parquet dataset from a recipe."""

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from distxml import __version__
from distxml.config.dataset import DatasetRecipe
from distxml.data.schema import METADATA_NAME, SPLITS, Dataset, DatasetMetadata, Shard, Split, open_dataset
from distxml.errors import UserError
from distxml.sources.gather import gather
from distxml.sources.material import Item, RawMaterial, Rejected, Row, Track, untracked
from distxml.sources.shards import write_shards
from distxml.sources.splits import split_indices
from distxml.sources.workspace import folder_in_making

REJECTED_NAME = "rejected.csv"


@dataclass(frozen=True)
class Built:
    """A dataset that is there now; `anew` is False where it was there before, built from an equal recipe."""

    dataset: Dataset
    anew: bool


@dataclass
class _Written:
    """What has gone into the shards so far."""

    shards: list[Shard]
    counts: dict[Split, dict[str, int]]
    annotated: dict[Split, int]


def build_dataset(recipe: DatasetRecipe, folder: Path, track: Track = untracked) -> Built:
    """Builds the dataset in `folder`, which appears only when it is complete.

    Raises:
        UserError: the raw material is wrong, or `folder` holds something else; nothing is deleted then.
    """
    folder = folder.resolve()
    existing = _existing(recipe, folder)
    if existing is not None:
        return Built(existing, anew=False)
    material = gather(recipe, track)
    _require_classes(material)
    with folder_in_making(folder) as making:
        _write(recipe, material, making, track)
    return Built(open_dataset(folder), anew=True)


def _existing(recipe: DatasetRecipe, folder: Path) -> Dataset | None:
    """The dataset in `folder` where it is the one wanted; None where the place is free."""
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return None
    if not (folder / METADATA_NAME).is_file():
        raise UserError(f"{folder}: exists and is not a dataset; name a folder that does not exist yet")
    dataset = open_dataset(folder)
    different = _differences(dataset.metadata.recipe, recipe.model_dump(mode="json"))
    if different:
        raise UserError(
            f"{folder}: holds a dataset built from another recipe (differs in {', '.join(different)}); "
            "name another folder, or delete this one yourself"
        )
    return dataset


def _differences(old: object, new: object, place: str = "") -> list[str]:
    """Dotted places where two recipes differ."""
    if isinstance(old, dict) and isinstance(new, dict):
        keys = sorted(old.keys() | new.keys())
        return [found for key in keys for found in _differences(old.get(key), new.get(key), f"{place}.{key}")]
    return [] if old == new else [place.removeprefix(".")]


def _require_classes(material: RawMaterial) -> None:
    if not material.items:
        example = material.rejected[0] if material.rejected else Rejected("source", "no images")
        raise UserError(
            f"no image is left to build from; {len(material.rejected)} left out, such as {example.file}: {example.reason}"
        )
    if len(material.classes) < 2:
        raise UserError(f"the only class is {material.classes[0]!r}; a classifier needs two, so add images of another")


def _write(recipe: DatasetRecipe, material: RawMaterial, folder: Path, track: Track) -> None:
    labels = [item.label for item in material.items]
    divided = split_indices(labels, material.classes, recipe.splits, recipe.seed)
    written = _Written([], {}, {})
    for split in SPLITS:
        items = [material.items[index] for index in divided[split]]
        _write_split(recipe, material.classes, items, split, folder, written, track)
    _write_rejected(material.rejected, folder / REJECTED_NAME)
    metadata = DatasetMetadata(
        name=recipe.name,
        classes=material.classes,
        counts=written.counts,
        annotated=written.annotated,
        shards=tuple(written.shards),
        recipe=recipe.model_dump(mode="json"),
        made_by=f"distxml {__version__}",
    )
    (folder / METADATA_NAME).write_text(metadata.model_dump_json(indent=2) + "\n", encoding="utf-8")


def _write_split(
    recipe: DatasetRecipe,
    classes: Sequence[str],
    items: Sequence[Item],
    split: Split,
    folder: Path,
    written: _Written,
    track: Track,
) -> None:
    counts = Counter(item.label for item in items)
    written.counts[split] = {name: counts[label] for label, name in enumerate(classes)}
    written.annotated[split] = 0

    def rows() -> Iterator[Row]:
        for item in track(items, f"writing {split}"):
            row = item.row()
            written.annotated[split] += row.mask is not None
            yield row

    written.shards += write_shards(rows(), folder, split, recipe.rows_per_shard)


def _write_rejected(rejected: Sequence[Rejected], path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8", errors="backslashreplace") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "reason"])
        writer.writerows((entry.file, entry.reason) for entry in rejected)
