"""Which differences are more than chance: the primary comparison by itself, all others as one family.

The **primary** comparison is named before anything is seen, so it is tested by itself: it must pass the studentised
bootstrap, which holds its level where differences are skewed, and the sign-flip test, which holds it however few groups
there are; its p-value is the larger of the two. All others are adjusted for their number together, so that in 95 of 100
evaluations without any difference none of them is called clear. `benchmarks/coverage.py` has the simulations.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from distxml.evaluation.statistics.columns import known
from distxml.evaluation.statistics.group_sums import GroupSums
from distxml.evaluation.statistics.intervals import Estimates, estimates
from distxml.evaluation.statistics.paired import PairedDifference, Place
from distxml.evaluation.statistics.resamples import Resamples
from distxml.evaluation.statistics.sign_flips import sign_flip_p_value
from distxml.evaluation.statistics.studentized import Studentized, studentized


@dataclass(frozen=True)
class Outcome:
    """A difference, its 95% interval by itself, and the p-value of "there is none"; None where unknown.

    Attributes:
        p: of the primary comparison its own; of all others adjusted for their number.
        primary: whether it is the primary comparison.
    """

    difference: PairedDifference
    low: float | None
    high: float | None
    p: float | None
    primary: bool


def outcomes_of(
    differences: Sequence[PairedDifference], resamples: Resamples, primary: Place | None
) -> dict[Place, Outcome]:
    """Every difference with its interval and its p-value.

    Args:
        differences: all that are reported.
        resamples: of the groups of the n perturbed images.
        primary: the primary comparison; None, or one that is not among the differences: there is none.
    """
    if not differences:
        return {}
    parts = [*_by_images(differences, resamples)]
    low = np.concatenate([part.interval.low for part in parts])
    high = np.concatenate([part.interval.high for part in parts])
    found = Studentized.of_all([part.test for part in parts])
    p_values = found.p_values()
    others = [number for number, difference in enumerate(differences) if difference.place != primary]
    p_values[others] = found.columns(others).adjusted_p_values()
    outcomes: dict[Place, Outcome] = {}
    for number, difference in enumerate(differences):
        p, is_primary = p_values[number], difference.place == primary
        if is_primary and not np.isnan(p):
            p = max(p, sign_flip_p_value(difference.values, resamples))
        outcomes[difference.place] = Outcome(difference, known(low[number]), known(high[number]), known(p), is_primary)
    return outcomes


@dataclass(frozen=True, eq=False)
class _Part:
    """Differences over the same images."""

    interval: Estimates
    test: Studentized


def _by_images(differences: Sequence[PairedDifference], resamples: Resamples) -> Iterator[_Part]:
    """Those over the same images together; all of them from the same draws of groups."""
    for _, same in groupby(differences, key=lambda difference: id(difference.images)):
        columns = list(same)
        images = columns[0].images
        values = np.zeros((len(images), len(columns)))
        values[images] = np.stack([column.values for column in columns], axis=1)
        sums = GroupSums.of(values, images[:, None].astype(np.float64), resamples.groups)
        yield _Part(estimates(sums), studentized(sums, resamples))
