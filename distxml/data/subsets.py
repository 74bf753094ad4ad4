"""Which images stand for all: draws that are stratified by class and depend on a seed alone."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

import numpy as np

from distxml.config.seeds import seed_from


def sample_of(labels: list[int], images: int, seed: int) -> list[int]:
    """Rows that are scored: the classes in turn, those of a class in a seeded order.

    Args:
        labels: of all rows.
    """
    order = np.random.default_rng(seed_from("quick scores", seed)).permutation(len(labels))
    place: dict[int, int] = {}
    turns = []
    for row in order.tolist():
        label = labels[row]
        place[label] = place.get(label, -1) + 1
        turns.append((place[label], label, row))
    return [row for _, _, row in sorted(turns)[:images]]


def _draw(label_of_key: dict[str, int], wanted: int | None, seed: int) -> list[str]:
    """A draw of `wanted` keys, stratified by class; it depends on (seed, keys, labels), not on their order."""
    if wanted is None or wanted >= len(label_of_key):
        return list(label_of_key)
    shuffled = sorted(label_of_key, key=lambda key: (seed_from("curve images", seed, key), key))
    of_class = {label: [key for key in shuffled if label_of_key[key] == label] for label in label_of_key.values()}
    sizes = _shares({label: len(keys) for label, keys in of_class.items()}, wanted)
    return [key for label, keys in of_class.items() for key in keys[: sizes[label]]]


def _shares(sizes: dict[int, int], wanted: int) -> dict[int, int]:
    """`wanted` divided in proportion to the sizes, by largest remainder; the smaller label wins a tie."""
    total = sum(sizes.values())
    shares = {label: wanted * size // total for label, size in sizes.items()}
    by_remainder = sorted(sizes, key=lambda label: (-(wanted * sizes[label] % total), label))
    for label in by_remainder[: wanted - sum(shares.values())]:
        shares[label] += 1
    return shares


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
