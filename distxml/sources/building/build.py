"""Builds a Parquet dataset from a recipe."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from distxml import __version__
from distxml.config.dataset import DatasetRecipe
from distxml.data.digest import classes_digest
from distxml.data.groups import count_groups
from distxml.data.schema import METADATA_NAME, SPLITS, Dataset, DatasetMetadata, Split, open_dataset, require_printable
from distxml.errors import UserError
from distxml.sources.building.check import check_all
from distxml.sources.building.fingerprint import fingerprint
from distxml.sources.building.journal import BuildJournal
from distxml.sources.building.shards import ShardTask, WrittenShard, shard_tasks, write_shard
from distxml.sources.building.splits import divide
from distxml.sources.building.usable import Usable, require_enough, usable
from distxml.sources.building.workers import Workers, workers
from distxml.sources.building.workspace import folder_in_making
from distxml.sources.gather import gather
from distxml.sources.material import RawMaterial, Track, untracked

MIN_FOR_SEVERAL = 128
"""Images; for fewer, starting processes takes longer than they save."""


def require_outside_source(recipe: DatasetRecipe, folder: Path) -> None:
    """Refuse a place inside a folder that the source reads: the next build would take the dataset for raw material.

    Raises:
        UserError: names the setting and its folder.
    """
    place = folder.resolve()
    for field, value in recipe.source:
        if isinstance(value, Path) and value.is_dir() and place.is_relative_to(value.resolve()):
            raise UserError(
                f"{folder}: lies inside source.{field}={value}, which the build reads; name a folder outside of it"
            )


@dataclass(frozen=True)
class Built:
    """A dataset that is there now.

    Attributes:
        dataset: the dataset, opened.
        anew: False where it was there before, built from an equal recipe.
    """

    dataset: Dataset
    anew: bool


@dataclass(frozen=True)
class BuildOptions:
    """How a build runs; none of it changes the result.

    Attributes:
        processes: how many work at once; 1 is this one. More start new interpreters, which import the main module.
        track: shows progress.
        say: tells the user something at once.
    """

    processes: int = 1
    track: Track = untracked
    say: Callable[[str], None] = lambda text: None


QUIET = BuildOptions()


def build_dataset(recipe: DatasetRecipe, folder: Path, options: BuildOptions = QUIET) -> Built:
    """Builds the dataset in `folder`, which appears only when it is complete.

    A build that ends before that leaves what it has done in a hidden folder beside it, and the next one with the same
    recipe and the same files resumes there, to the same result bit for bit.

    Raises:
        UserError: the raw material is wrong, or `folder` lies in it or holds something else; nothing in it is
            deleted then.
    """
    require_printable(folder)
    require_outside_source(recipe, folder)
    existing = _existing(recipe, folder)
    if existing is not None:
        return Built(existing, anew=False)
    material = gather(recipe, options.track)
    number = options.processes if len(material.items) >= MIN_FOR_SEVERAL else 1
    with folder_in_making(folder.resolve()) as making, workers(number) as processes:
        existing = _existing(recipe, folder)  # another process may have been faster
        if existing is None:
            _fill(making, recipe, material, processes, options)
    return Built(existing or open_dataset(folder), anew=existing is None)


def _fill(
    making: Path, recipe: DatasetRecipe, material: RawMaterial, processes: Workers, options: BuildOptions
) -> None:
    journal = BuildJournal(making, fingerprint(recipe, material))
    if journal.found is not None:
        options.say(f"Resuming where an earlier build stopped: {journal.found}.")
    found = _usable(recipe, material, journal, processes, options)
    divided = divide(found.items, material.classes, recipe.splits, recipe.seed)
    tasks = shard_tasks(recipe, found.items, found.digests, divided, making)
    written = _write_shards(tasks, journal, processes, options.track)
    found.write_lists(making)
    _write_metadata(recipe, material.classes, tasks, written, making)
    journal.close()


def _usable(
    recipe: DatasetRecipe, material: RawMaterial, journal: BuildJournal, processes: Workers, options: BuildOptions
) -> Usable:
    if material.drawn:
        found = Usable(material.items, (), material.rejected)
    else:
        found = usable(material, check_all(material.items, recipe.images, journal, processes, options.track))
    require_enough(material, found, recipe.images, journal.folder)
    return found


def _write_shards(
    tasks: Sequence[ShardTask], journal: BuildJournal, processes: Workers, track: Track
) -> list[WrittenShard]:
    """All shards, in order; those that the journal knows are there."""
    done = dict(journal.shards)
    to_do = [task for task in tasks if task.file not in done]
    results = processes.results(write_shard, to_do)
    for _, written in zip(track(to_do, "writing shards"), results, strict=True):
        journal.add_shard(written)
        done[written.shard.file] = written
    return [done[task.file] for task in tasks]


def _existing(recipe: DatasetRecipe, folder: Path) -> Dataset | None:
    """The dataset in `folder` where it is the one wanted; None where the place is free."""
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return None
    if not (folder / METADATA_NAME).is_file():
        raise UserError(f"{folder}: exists and is not a dataset; name a folder that does not exist yet")
    dataset = open_dataset(folder)
    refuse_other_recipe(dataset, recipe, str(folder))
    return dataset


def refuse_other_recipe(dataset: Dataset, recipe: DatasetRecipe, place: str) -> None:
    """
    Raises:
        UserError: the dataset at that place was built from another recipe.
    """
    different = _differences(dataset.metadata.recipe, recipe.model_dump(mode="json"))
    if different:
        raise UserError(
            f"{place}: holds a dataset built from another recipe (differs in {', '.join(different)}); "
            "name another folder, or delete this one yourself"
        )


def _differences(old: object, new: object, place: str = "") -> list[str]:
    """Dotted places where two recipes differ."""
    if isinstance(old, dict) and isinstance(new, dict):
        keys = sorted(old.keys() | new.keys())
        return [found for key in keys for found in _differences(old.get(key), new.get(key), f"{place}.{key}")]
    return [] if old == new else [place.removeprefix(".")]


def _groups(tasks: Sequence[ShardTask]) -> dict[Split, int] | None:
    """Groups of each split; None where no image has one."""
    groups: dict[Split, list[str | None]] = {split: [] for split in SPLITS}
    for task in tasks:
        groups[task.split] += [item.group for item in task.items]
    if all(group is None for found in groups.values() for group in found):
        return None
    return {split: count_groups(found) for split, found in groups.items()}


def _write_metadata(
    recipe: DatasetRecipe,
    classes: tuple[str, ...],
    tasks: Sequence[ShardTask],
    written: Sequence[WrittenShard],
    folder: Path,
) -> None:
    labels: dict[Split, Counter[int]] = {split: Counter() for split in SPLITS}
    annotated: dict[Split, int] = dict.fromkeys(SPLITS, 0)
    for task, done in zip(tasks, written, strict=True):
        labels[task.split].update(item.label for item in task.items)
        annotated[task.split] += done.annotated
    metadata = DatasetMetadata(
        name=recipe.name,
        classes=classes,
        classes_sha256=classes_digest(classes),
        counts={split: {name: labels[split][label] for label, name in enumerate(classes)} for split in SPLITS},
        annotated=annotated,
        groups=_groups(tasks),
        shards=tuple(done.shard for done in written),
        recipe=recipe.model_dump(mode="json"),
        made_by=f"distxml {__version__}",
    )
    (folder / METADATA_NAME).write_text(metadata.model_dump_json(indent=2) + "\n", encoding="utf-8")
