"""95% intervals of one mean over another, image by image on the same images, by Fieller's theorem.

A linearised interval of the ratio is much too narrow where the mean below is not far above 0, and its effective number
of groups makes no sense where some values below are negative: of twelve images with a mean below of a third of its
standard deviation it holds the truth in 12 to 99 of 100 cases, and is there in one of five. Fieller's is every ratio r
that Student's test of "the mean of above - r × below is 0" leaves standing, and is one interval where the mean below is
itself clearly not 0. Source: Fieller, "Some problems in interval estimation", JRSS B 16 (1954).
"""

import numpy as np
from scipy.stats import t as student

from distxml.evaluation.statistics.group_sums import NO_SPREAD, GroupSums, Values
from distxml.evaluation.statistics.groups import Groups
from distxml.evaluation.statistics.intervals import Estimates
from distxml.evaluation.verdict import LEVEL


def ratios_of_means(above: Values, below: Values, groups: Groups) -> Estimates:
    """Mean of each column of n×K over that of n×1.

    Args:
        above: n×K.
        below: n×1.
        groups: of the n images.

    Returns:
        K; all NaN where Student's 95% interval of the mean below is not above 0, or unknown: there is no ratio to speak
        of. Ends alone are NaN where both agree but for a factor.
    """
    tops, bottom = GroupSums.of_means(above, groups), GroupSums.of_means(below, groups)
    percentile = student.isf(LEVEL / 2, np.maximum(bottom.effective - 1, 1))
    squared = bottom.estimate**2 - (percentile * bottom.error()) ** 2  # 1
    if not (bottom.estimate > 0 and squared > 0):  # unknown, too
        nothing = np.full(above.shape[1], np.nan)
        return Estimates(nothing, nothing, nothing)
    weight = percentile**2 / (1 - bottom.share) / bottom.total**2  # G×1
    mixed = tops.estimate * bottom.estimate - (weight * tops.residual * bottom.residual).sum(0)
    other = tops.estimate**2 - (weight * tops.residual**2).sum(0)
    middle, half = mixed / squared, np.sqrt(np.maximum(mixed**2 - squared * other, 0)) / squared
    value = tops.estimate / bottom.estimate
    half = np.where(half > NO_SPREAD * np.maximum(1, np.abs(value)), half, np.nan)
    return Estimates(value, middle - half, middle + half)
