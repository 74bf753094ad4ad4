"""Which images stand for all; every draw depends on the images and a seed, never on the order in which they are read.

There is one rule for each purpose: `balanced_sample` shows or scores a few images, and a rare class counts as much as a
common one; `stratified_sample` estimates a mean, so classes keep their shares; `choose` shows what went right and what
went wrong. Each has random numbers of its own: a run's images stay the same when another rule changes.
"""

import math
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import zip_longest
from typing import TypeVar

import numpy as np

from distxml.config.seeds import seed_from

Element = TypeVar("Element")


def in_turn(groups: Iterable[Sequence[Element]]) -> Iterator[Element]:
    """The first element of every group, then the second of every group that has one, and so on."""
    for one_each in zip_longest(*([(element,) for element in group] for group in groups), fillvalue=()):
        for found in one_each:
            yield from found


def largest_remainder(total: int, quotas: Sequence[float | Fraction]) -> list[int]:
    """Whole numbers near the quotas, which add up to `total`, with that sum: the largest remainders are rounded up.

    Of equal remainders the first is rounded up first.
    """
    counts = [math.floor(quota) for quota in quotas]
    neediest = sorted(range(len(quotas)), key=lambda place: counts[place] - quotas[place])
    for place in neediest[: total - sum(counts)]:
        counts[place] += 1
    return counts


def balanced_sample(labels: Sequence[int], images: int, seed: int | None = None) -> list[int]:
    """Up to `images` rows: the classes in turn, smaller labels first.

    Args:
        labels: of all rows, in reading order.
        images: rows that are wanted.
        seed: of the order within a class; None: reading order.
    """
    rows = range(len(labels))
    if seed is not None:
        rows = np.random.default_rng(seed_from("quick scores", seed)).permutation(len(labels)).tolist()
    of_class: dict[int, list[int]] = {label: [] for label in sorted(set(labels))}
    for row in rows:
        of_class[labels[row]].append(row)
    return [*in_turn(of_class.values())][:images]


def stratified_sample(label_of_key: dict[str, int], images: int | None, seed: int) -> list[str]:
    """The keys of `images` images, classes in proportion to their sizes; all keys where None or more are wanted."""
    if images is None or images >= len(label_of_key):
        return list(label_of_key)
    of_class: dict[int, list[str]] = {label: [] for label in sorted(set(label_of_key.values()))}
    for key in sorted(label_of_key, key=lambda key: (seed_from("curve images", seed, key), key)):
        of_class[label_of_key[key]].append(key)
    quotas = [Fraction(images * len(keys), len(label_of_key)) for keys in of_class.values()]
    sizes = largest_remainder(images, quotas)
    return [key for keys, size in zip(of_class.values(), sizes, strict=True) for key in keys[:size]]


@dataclass(frozen=True)
class Candidate:
    """An image that could be shown; `predicted` is None where the model has not been asked."""

    key: str
    label: int
    predicted: int | None = None

    @property
    def group(self) -> tuple[int, bool | None]:
        """The class, and whether the prediction was right (None: not asked)."""
        return self.label, None if self.predicted is None else self.predicted == self.label


@dataclass(frozen=True)
class Choice:
    """The images drawn, group by group, and how large each group is."""

    chosen: list[Candidate]
    group_sizes: dict[tuple[int, bool | None], int]
    """By `Candidate.group`."""


def choose(candidates: Sequence[Candidate], per_group: int, most: int, seed: int) -> Choice:
    """Draws a few images of each group (class × right or wrong), right ones before wrong ones.

    Args:
        candidates: the images, in any order.
        per_group: images of a group, at most.
        most: images in all, at most. Where it cuts the draw short, every group gives its first image before any gives
            its second, groups in a drawn order.
        seed: of the draw.
    """
    draw = random.Random(seed)
    groups: dict[tuple[int, bool | None], list[Candidate]] = {}
    for candidate in sorted(candidates, key=lambda candidate: candidate.key):
        groups.setdefault(candidate.group, []).append(candidate)
    groups = {group: groups[group] for group in sorted(groups, key=_right_first)}
    drawn = [draw.sample(members, min(per_group, len(members))) for members in groups.values()]
    kept = [*in_turn(draw.sample(drawn, len(drawn)))][:most]
    kept.sort(key=lambda candidate: (candidate.label, candidate.predicted != candidate.label))
    return Choice(kept, {group: len(members) for group, members in groups.items()})


def _right_first(group: tuple[int, bool | None]) -> tuple[int, bool]:
    return group[0], group[1] is False
