"""Divides images into train, val and test: stratified by class, seeded, groups whole, published splits kept."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from distxml.config.dataset import SplitSettings
from distxml.data.schema import SPLITS, Split
from distxml.errors import UserError
from distxml.sources.building.group_splits import divide_groups
from distxml.sources.material import Item

Divided = dict[Split, NDArray[np.int64]]
"""Indices of each split's images, in a random order so that every shard holds all classes."""


def divide(items: Sequence[Item], classes: Sequence[str], settings: SplitSettings, seed: int) -> Divided:
    """Each item's split.

    Without groups and fixed splits, see `split_indices`; which image goes where then depends on the order of the items
    (sources list them by name). With them, see `divide_groups`; only the order of a split's rows depends on it.

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

    Raises:
        UserError: a class has fewer images than there are splits.
    """
    rng = np.random.default_rng([seed, len(labels)])
    shares = [getattr(settings, split) for split in SPLITS]
    parts: list[list[NDArray[np.int64]]] = [[] for _ in SPLITS]
    for label, name in enumerate(classes):
        members = rng.permutation(np.flatnonzero(np.asarray(labels) == label))
        _require_one_a_split(name, len(members))
        cuts = np.cumsum(share_out(len(members), shares))[:-1]
        for part, piece in zip(parts, np.split(members, cuts), strict=True):
            part.append(piece)
    return {split: rng.permutation(np.concatenate(part)) for split, part in zip(SPLITS, parts, strict=True)}


def share_out(total: int, shares: Sequence[float]) -> list[int]:
    """`total` divided by `shares` (which sum to 1): the largest remainders are rounded up, nobody goes empty.

    `total` must be at least the number of shares.
    """
    exact = np.asarray(shares) * total
    counts = np.floor(exact).astype(int)
    neediest = np.argsort(counts - exact, kind="stable")
    counts[neediest[: total - counts.sum()]] += 1
    while counts.min() == 0:
        counts[counts.argmax()] -= 1
        counts[counts.argmin()] += 1
    return counts.tolist()


def _require_one_a_split(name: str, images: int) -> None:
    if images < len(SPLITS):
        raise UserError(
            f"class {name!r}: {images} usable image(s), but each of {', '.join(SPLITS)} needs one; "
            "add images or leave the class out (see `source` in the recipe)"
        )
