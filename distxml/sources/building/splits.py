"""Divides images into train, val and test: stratified by class, seeded, groups whole, published splits kept."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from distxml.config.dataset import SplitSettings
from distxml.data.schema import SPLITS, Split
from distxml.data.subsets import largest_remainder
from distxml.errors import UserError
from distxml.sources.material import Item

DIGITS = 9
"""Gains are rounded to these, so that which of two equal ones is first does not depend on the machine."""

Divided = dict[Split, NDArray[np.int64]]
"""Indices of each split's images, in a random order so that every shard holds all classes."""


@dataclass
class Unit:
    """Images that stay together: a group, or an image without one.

    Attributes:
        name: of the group or of the image.
        members: numbers of the images.
        counts: images per class.
        fixed: the split that the source puts it in.
        allowed: the splits that it may be in.
        split: the split that it is in.
    """

    name: str
    members: list[int]
    counts: NDArray[np.int64]
    fixed: Split | None = None
    allowed: tuple[Split, ...] = SPLITS
    split: Split | None = None


def divide(items: Sequence[Item], classes: Sequence[str], settings: SplitSettings, seed: int) -> Divided:
    """Each item's split.

    Without groups and fixed splits, see `split_indices`; which image goes where then depends on the order of the items
    (sources list them by name). With them, see `divide_groups`; only the order of a split's rows depends on it.

    Args:
        items: of the dataset.
        classes: names in label order.
        settings: shares of the splits.
        seed: of the recipe.

    Raises:
        UserError: a class has too few images or groups for three splits, or a group is fixed to several splits.
    """
    if all(item.group is None and item.split is None for item in items):
        return split_indices([item.label for item in items], classes, settings, seed)
    chosen = divide_groups(items, classes, settings, seed)
    rng = np.random.default_rng([seed, len(items)])
    return {split: rng.permutation(np.flatnonzero(np.asarray(chosen) == split)) for split in SPLITS}


def split_indices(labels: Sequence[int], classes: Sequence[str], settings: SplitSettings, seed: int) -> Divided:
    """Each image on its own: every class in every split by the shares, to one image.

    Args:
        labels: of all images.
        classes: names in label order.
        settings: shares of the splits.
        seed: of the recipe.

    Raises:
        UserError: a class has fewer images than there are splits.
    """
    rng = np.random.default_rng([seed, len(labels)])
    shares = [getattr(settings, split) for split in SPLITS]
    parts: list[list[NDArray[np.int64]]] = [[] for _ in SPLITS]
    for label, name in enumerate(classes):
        members = rng.permutation(np.flatnonzero(np.asarray(labels) == label))
        _require_one_per_split(name, len(members))
        cuts = np.cumsum(split_sizes(len(members), shares))[:-1]
        for part, piece in zip(parts, np.split(members, cuts), strict=True):
            part.append(piece)
    return {split: rng.permutation(np.concatenate(part)) for split, part in zip(SPLITS, parts, strict=True)}


def split_sizes(images: int, shares: Sequence[float]) -> list[int]:
    """`images` divided by `shares` (which sum to 1); no split stays empty if there are as many images as splits."""
    counts = largest_remainder(images, [share * images for share in shares])
    while min(counts) == 0:
        counts[counts.index(max(counts))] -= 1
        counts[counts.index(0)] += 1
    return counts


def _require_one_per_split(name: str, images: int) -> None:
    if images < len(SPLITS):
        raise UserError(
            f"class {name!r}: {images} usable image(s), but each of {', '.join(SPLITS)} needs one; "
            "add images or leave the class out (see `source` in the recipe)"
        )


def divide_groups(items: Sequence[Item], classes: Sequence[str], settings: SplitSettings, seed: int) -> list[Split]:
    """The split of each item; it does not depend on the order of the items.

    Groups are assigned largest first, in a seeded order among equal ones, each to the split where it brings the
    numbers of images per class closest to the shares (the sum over classes and splits of the squared relative
    distance). A group counts with all its images' labels. Where a class is then missing from a split, the smallest
    group that can be spared is moved there. Items with a fixed split stay in it, and so does the rest of their group;
    where the source fixes every item, but none to val, val is taken from train by val / (train + val).

    Args:
        items: of the dataset.
        classes: names in label order.
        settings: shares of the splits.
        seed: of the recipe.

    Raises:
        UserError: a group is fixed to several splits, or a class cannot be in every split.
    """
    units = _units(items, len(classes))
    _place(units, settings, np.random.default_rng([seed, len(items)]))
    for label, name in enumerate(classes):
        for split in SPLITS:
            if not any(unit.split == split and unit.counts[label] for unit in units):
                _bring(label, split, units, name)
    chosen: dict[int, Split] = {number: _found(unit) for unit in units for number in unit.members}
    return [chosen[number] for number in range(len(items))]


def _found(unit: Unit) -> Split:
    assert unit.split is not None  # every unit was assigned
    return unit.split


def _units(items: Sequence[Item], classes: int) -> list[Unit]:
    """By name; groups and single images are told apart even where their names are equal."""
    units: dict[tuple[bool, str], Unit] = {}
    for number, item in sorted(enumerate(items), key=lambda entry: entry[1].key):
        grouped = item.group is not None
        name = item.group if item.group is not None else item.key
        unit = units.setdefault((grouped, name), Unit(name, [], np.zeros(classes, np.int64)))
        unit.members.append(number)
        unit.counts[item.label] += 1
        if item.split is not None and unit.fixed not in (None, item.split):
            raise UserError(
                f"group {name!r}: its images are fixed to {unit.fixed} and to {item.split}, but a group is never "
                "divided; mend the source's splits or groups"
            )
        unit.fixed = unit.fixed or item.split
    return [units[key] for key in sorted(units)]


def _place(units: list[Unit], settings: SplitSettings, rng: np.random.Generator) -> None:
    shares: dict[Split, float] = {split: getattr(settings, split) for split in SPLITS}
    without_val = all(unit.fixed in ("train", "test") for unit in units)
    for unit in units:
        if unit.fixed is not None:
            unit.allowed = ("train", "val") if without_val and unit.fixed == "train" else (unit.fixed,)
    kinds: tuple[tuple[Split, ...], ...] = (SPLITS, ("train", "val"), ("test",), ("train",), ("val",))
    for allowed in kinds:
        total = sum(shares[split] for split in allowed)
        assigned = [unit for unit in units if unit.allowed == allowed]
        _assign(assigned, {split: shares[split] / total for split in allowed}, rng)


def _assign(units: list[Unit], shares: dict[Split, float], rng: np.random.Generator) -> None:
    if not units:
        return
    totals = np.sum([unit.counts for unit in units], axis=0)
    weights = 1 / np.maximum(totals, 1) ** 2
    missing = np.array([share * totals for share in shares.values()])  # splits × classes
    order = sorted(rng.permutation(len(units)).tolist(), key=lambda number: -len(units[number].members))
    for unit in (units[number] for number in order):
        gains = (weights * unit.counts * (2 * missing - unit.counts)).sum(axis=1)
        best = int(np.round(gains, DIGITS).argmax())
        missing[best] -= unit.counts
        unit.split = list(shares)[best]


def _bring(label: int, split: Split, units: list[Unit], name: str) -> None:
    """Moves the smallest unit that has the class and leaves no other hole."""
    present = {place: np.sum([unit.counts > 0 for unit in units if unit.split == place], axis=0) for place in SPLITS}
    spare = [
        unit
        for unit in units
        if unit.counts[label]
        and split in unit.allowed
        and unit.split is not None
        and np.all(present[unit.split][unit.counts > 0] > 1)
    ]
    if not spare:
        raise _too_few(label, split, units, name)
    min(spare, key=lambda unit: (len(unit.members), unit.name)).split = split


def _too_few(label: int, split: Split, units: list[Unit], name: str) -> UserError:
    images = sum(int(unit.counts[label]) for unit in units)
    groups = sum(bool(unit.counts[label]) for unit in units)
    return UserError(
        f"class {name!r}: {images} usable image(s) in {groups} group(s) (or alone), and none that may be in {split} "
        f"can be spared, but each of {', '.join(SPLITS)} needs one; add images, leave the class out, or change the "
        "source's groups and splits"
    )
