"""Intervals of shares: Wilson's, which has a width even where all or none succeed, widened where images have groups."""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, t

from distxml.evaluation.summary import LEVEL

Values = NDArray[np.float64]
Numbers = NDArray[np.int64]


def share_interval(success: Values, group: Numbers) -> tuple[float, float]:
    """95% interval of the mean of n successes.

    Images by themselves: Wilson's. Images of groups: Wilson's with as many images as carry the same information, n over
    the design effect (never more than n, and as many as there are groups where all images succeed or none does), and
    Student's percentile with one degree of freedom fewer than groups.

    Sources: Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927); Kish,
    "Survey sampling", 1965, section 8.2; Dean, Pagano, "Evaluating confidence interval methods for binomial proportions
    in clustered surveys", Journal of Survey Statistics and Methodology 3 (2015).

    Args:
        success: n values, 0 or 1 each (or between).
        group: n numbers from 0 on.
    """
    groups, share = int(group.max()) + 1, float(success.mean())
    if groups == len(group):
        return _wilson(share, len(group), float(norm.isf(LEVEL / 2)))
    if groups == 1:
        return 0.0, 1.0
    effective = len(group) / max(1.0, _design_effect(success, group, groups))
    return _wilson(share, effective, float(t.isf(LEVEL / 2, groups - 1)))


def _design_effect(success: Values, group: Numbers, groups: int) -> float:
    """Variance of the mean over groups as a multiple of that over independent images."""
    images, share = len(group), float(success.mean())
    independent = share * (1 - share) / images
    if independent <= 0:
        return images / groups
    residual = np.bincount(group, success - share, groups)
    return float(groups / (groups - 1) * (residual**2).sum() / images**2 / independent)


def _wilson(share: float, trials: float, z: float) -> tuple[float, float]:
    weight = z**2 / trials
    middle = (share + weight / 2) / (1 + weight)
    half = z * np.sqrt(share * (1 - share) / trials + weight / (4 * trials)) / (1 + weight)
    return max(0.0, min(share, float(middle - half))), min(1.0, max(share, float(middle + half)))
