"""Which images the report shows: a seeded draw from every class, right and wrong, that nobody can steer."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest


@dataclass(frozen=True)
class Candidate:
    """An image that could be shown; `predicted` is None where the model has not been asked."""

    key: str
    label: int
    predicted: int | None = None


@dataclass(frozen=True)
class Choice:
    """The images drawn, group by group, and how large each group is."""

    chosen: list[Candidate]
    group_sizes: dict[tuple[int, bool | None], int]
    """By label and whether the prediction was right (None: not asked)."""


def choose(candidates: Sequence[Candidate], per_group: int, most: int, seed: int) -> Choice:
    """Up to `per_group` images of each group (class × right or wrong), `most` in all.

    The draw depends on the keys and the seed alone, not on the order of `candidates`. Where `most` cuts it short,
    every group gives its first image before any gives its second, groups in a drawn order.
    """
    draw = random.Random(seed)
    groups: dict[tuple[int, bool | None], list[Candidate]] = {}
    for candidate in sorted(candidates, key=lambda candidate: candidate.key):
        groups.setdefault(_group(candidate), []).append(candidate)
    drawn = {
        group: draw.sample(groups[group], min(per_group, len(groups[group])))
        for group in sorted(groups, key=_right_first)
    }
    order = draw.sample(list(drawn), len(drawn))
    rounds = zip_longest(*(drawn[group] for group in order))
    kept = [candidate for one_each in rounds for candidate in one_each if candidate is not None][:most]
    kept.sort(key=lambda candidate: (candidate.label, candidate.predicted != candidate.label))
    return Choice(kept, {group: len(groups[group]) for group in sorted(groups, key=_right_first)})


def _right_first(group: tuple[int, bool | None]) -> tuple[int, bool]:
    return group[0], group[1] is False


def _group(candidate: Candidate) -> tuple[int, bool | None]:
    right = None if candidate.predicted is None else candidate.predicted == candidate.label
    return candidate.label, right
