"""Builds a Parquet dataset from a recipe."""

from dataclasses import dataclass
from pathlib import Path

from distxml import __version__
from distxml.config.dataset import DatasetRecipe
from distxml.data.schema import METADATA_NAME, SPLITS, Dataset, DatasetMetadata, open_dataset, require_printable
from distxml.errors import UserError
from distxml.sources.gather import gather
from distxml.sources.material import RawMaterial, Rejected, Track, untracked
from distxml.sources.rejected import write_rejected
from distxml.sources.split_writer import SplitWriter
from distxml.sources.splits import split_indices
from distxml.sources.workspace import folder_in_making


@dataclass(frozen=True)
class Built:
    """A dataset that is there now.

    Attributes:
        dataset: the dataset, opened.
        anew: False where it was there before, built from an equal recipe.
    """

    dataset: Dataset
    anew: bool


def build_dataset(recipe: DatasetRecipe, folder: Path, track: Track = untracked) -> Built:
    """Builds the dataset in `folder`, which appears only when it is complete.

    Raises:
        UserError: the raw material is wrong, or `folder` holds something else; nothing is deleted then.
    """
    require_printable(folder)
    existing = _existing(recipe, folder)
    if existing is not None:
        return Built(existing, anew=False)
    material = gather(recipe, track)
    _require_classes(material)
    labels = [item.label for item in material.items]
    divided = split_indices(labels, material.classes, recipe.splits, recipe.seed)
    with folder_in_making(folder.resolve()) as making:
        writer = SplitWriter(making, material.classes, recipe.rows_per_shard, track)
        for split in SPLITS:
            writer.write(split, [material.items[index] for index in divided[split]])
        write_rejected(material.rejected, making)
        _write_metadata(recipe, material, writer, making)
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
        example = material.rejected[0] if material.rejected else Rejected("the source", "no images")
        raise UserError(
            f"no image is left to build from: {len(material.rejected)} left out, "
            f"such as {example.file} ({example.reason}); mend the raw material or the recipe's source"
        )
    if len(material.classes) == 1:
        raise UserError(f"the only class is {material.classes[0]!r}; a classifier needs two, add images of another")


def _write_metadata(recipe: DatasetRecipe, material: RawMaterial, writer: SplitWriter, folder: Path) -> None:
    metadata = DatasetMetadata(
        name=recipe.name,
        classes=material.classes,
        counts=writer.counts,
        annotated=writer.annotated,
        shards=tuple(writer.shards),
        recipe=recipe.model_dump(mode="json"),
        made_by=f"distxml {__version__}",
    )
    (folder / METADATA_NAME).write_text(metadata.model_dump_json(indent=2) + "\n", encoding="utf-8")
