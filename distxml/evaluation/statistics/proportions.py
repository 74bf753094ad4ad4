"""Intervals of shares: Wilson's, which has a width even where all or none succeed, widened where images have groups."""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, t

from distxml.evaluation.verdict import LEVEL, MIN_GROUPS

Values = NDArray[np.float64]
Numbers = NDArray[np.int64]


def share_interval(success: Values, group: Numbers) -> tuple[float, float]:
    """95% interval of the mean of n successes.

    Images by themselves: Wilson's. Images of groups: Wilson's with as many images as carry the same information, n over
    the design effect (never more than n), and Student's percentile with one degree of freedom fewer than effective
    groups. Few groups with an error (or few with a success) cannot show how alike a group's images are: below
    `MIN_GROUPS` of them the design effect goes towards that of groups that agree wholly.

    Sources: Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927); Kish,
    "Survey sampling", 1965, section 8.2; Dean, Pagano, "Evaluating confidence interval methods for binomial proportions
    in clustered surveys", Journal of Survey Statistics and Methodology 3 (2015).

    Args:
        success: n values, 0 or 1 each (or between).
        group: n numbers from 0 on.
    """
    sizes, share = np.bincount(group), float(success.mean())
    if len(sizes) == len(group):
        return wilson(share, len(group), float(norm.isf(LEVEL / 2)))
    effective = float(sizes.sum() ** 2 / (sizes**2).sum())
    if effective < 2:
        return 0.0, 1.0
    design_effect = _design_effect(success, group, sizes, len(group) / effective)
    return wilson(share, len(group) / design_effect, float(t.isf(LEVEL / 2, effective - 1)))


def _design_effect(success: Values, group: Numbers, sizes: Numbers, largest: float) -> float:
    """Variance of the mean over groups as a multiple of that over independent images; `largest` where groups agree."""
    images, sums = len(group), np.bincount(group, success)
    telling = min(int((sums < sizes).sum()), int((sums > 0).sum()))
    if not telling:
        return largest
    share = float(success.mean())
    residual = sums - share * sizes
    variance = float((residual**2 / (1 - sizes / images)).sum()) / images**2
    found = max(1.0, variance / (share * (1 - share) / images))
    trust = min(1.0, telling / MIN_GROUPS)
    return max(found, trust * found + (1 - trust) * largest)


def wilson(share: float, trials: float, z: float) -> tuple[float, float]:
    """Wilson's interval of a share of so many independent trials, `z` standard errors wide to each side."""
    weight = z**2 / trials
    middle = (share + weight / 2) / (1 + weight)
    half = z * np.sqrt(share * (1 - share) / trials + weight / (4 * trials)) / (1 + weight)
    return max(0.0, min(share, float(middle - half))), min(1.0, max(share, float(middle + half)))
