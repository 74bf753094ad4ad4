"""Divides images into train, val and test: stratified by class and seeded."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from distxml.config.dataset import SplitSettings
from distxml.data.schema import SPLITS, Split
from distxml.errors import UserError


def split_indices(
    labels: Sequence[int], classes: Sequence[str], settings: SplitSettings, seed: int
) -> dict[Split, NDArray[np.int64]]:
    """Indices of each split's images, in a random order so that every shard holds all classes.

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
