"""Over several runs: intervals of shares, which stay within 0 and 1, and the test of the primary comparison."""

import numpy as np
from numpy.typing import NDArray

from distxml.evaluation.statistics.crossed import MIN_RUNS, CrossedEstimates
from distxml.evaluation.statistics.group_sums import GroupSums
from distxml.evaluation.statistics.groups import Groups
from distxml.evaluation.statistics.proportions import share_interval, wilson
from distxml.evaluation.statistics.resamples import Resamples
from distxml.evaluation.statistics.sign_flips import sign_flip_p_value
from distxml.evaluation.statistics.studentized import studentized

Values = NDArray[np.float64]


def shares_over_runs(success: Values, groups: Groups, found: CrossedEstimates) -> tuple[Values, Values]:
    """95% intervals of K shares of the n images, in R runs: low and high ends; NaN where unknown.

    Wilson's, with as many trials as give the half-width over runs and groups, and never narrower than that of one run
    whose images are right as often as the mean run's.

    Args:
        success: R×n×K, 0 or 1.
        groups: of the images.
        found: of these shares.
    """
    pairs = [
        _interval(mean_run, groups, found.high[i] - found.low[i], found.spread[i], len(success))
        for i, mean_run in enumerate(success.mean(0).T)
    ]
    low, high = np.array(pairs).reshape(-1, 2).T
    return low, high


def _interval(success: Values, groups: Groups, width: float, spread: float, runs: int) -> tuple[float, float]:
    """Of the mean run's n successes."""
    if runs < MIN_RUNS or (np.isnan(width) and spread > 0):
        return np.nan, np.nan
    low, high = share_interval(success, groups.number)
    share = float(success.mean())
    if np.isnan(width) or not 0 < share < 1:
        return low, high
    wide_low, wide_high = wilson(share, share * (1 - share) / (width / 2) ** 2, 1.0)
    return min(low, wide_low), max(high, wide_high)


def primary_p_value(p: float, mean_run: Values, resamples: Resamples) -> float:
    """p-value of the primary comparison over runs; NaN where it is not tested.

    The larger of that over runs and groups, and of what the mean run is tested by over groups alone, as a single run is
    (`family.py`): there the bootstrap holds its level where differences are skewed.

    Args:
        p: over runs and groups.
        mean_run: n, the mean over the runs of each image's difference.
        resamples: of the groups of the n images.
    """
    bootstrap = studentized(GroupSums.of_means(mean_run[:, None], resamples.groups), resamples).p_values()[0]
    if np.isnan(p) or np.isnan(bootstrap):
        return np.nan
    return max(p, float(bootstrap), sign_flip_p_value(mean_run, resamples))
