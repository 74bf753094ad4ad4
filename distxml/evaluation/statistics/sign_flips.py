"""The sign-flip test of paired differences: where neither method is better, a group's difference may have either sign.

Exact where differences are symmetric around 0 (as they are where the two methods are exchangeable), whatever their
distribution and however few groups there are. Source: Good, "Permutation, parametric and bootstrap tests of
hypotheses", section 3.2.1.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from distxml.config.seeds import seed_from
from distxml.evaluation.statistics.resamples import CELLS_AT_ONCE, Resamples

Values = NDArray[np.float64]

MAX_GROUPS_OF_ALL = 12
"""Up to so many groups all 2^G patterns of signs are gone through; with more, as many as there are resamples."""
ROUNDING = 1e-9
"""Patterns whose mean is the observed one up to this share count as at least as large."""


def sign_flip_p_value(difference: Values, resamples: Resamples) -> float:
    """p-value of "the mean difference is 0", two-sided.

    Args:
        difference: n, of the images.
        resamples: of their groups; say how many patterns are drawn, and with which seed.
    """
    sums = resamples.groups.sums(difference[:, None])[:, 0]  # G: flipped as a whole
    observed = abs(sums.sum()) * (1 - ROUNDING)
    if resamples.groups.count <= MAX_GROUPS_OF_ALL:
        return float((np.abs(_all_signs(resamples.groups.count) @ sums) >= observed).mean())
    reached = sum(int((np.abs(signs @ sums) >= observed).sum()) for signs in _drawn_signs(resamples))
    return (1 + reached) / (1 + resamples.draws)


def _all_signs(groups: int) -> Values:
    """2^G×G."""
    return (1 - 2 * ((np.arange(2**groups)[:, None] >> np.arange(groups)) & 1)).astype(np.float64)


def _drawn_signs(resamples: Resamples) -> Iterator[Values]:
    """r×G, in parts that make up all draws."""
    generator = np.random.default_rng(seed_from("sign flips", resamples.seed))
    part = max(1, CELLS_AT_ONCE // resamples.groups.count)
    for start in range(0, resamples.draws, part):
        rows = min(part, resamples.draws - start)
        yield (1 - 2 * generator.integers(0, 2, (rows, resamples.groups.count))).astype(np.float64)
