"""95% intervals of means and of ratios of sums over groups of images, corrected for the skewness of what is averaged.

An interval by Student's t, or by the percentiles of a bootstrap, is too narrow where few values are skewed: of twelve
exponential ones it holds the truth in 90 and 88 of 100 cases. Hall's transformation takes the skewness out first: it
holds the truth in 94, needs no resampling, and stays finite beside outliers, where a studentised bootstrap does not
(`benchmarks/coverage.py`). Sources: Hall, "On the removal of skewness by transformation", JRSS B 54 (1992); the
standard error of a ratio over clusters is the linearised one of Cochran, "Sampling techniques", section 9A, each
group's residual divided by the root of 1 - its share (as CR2 of Bell, McCaffrey, Survey Methodology 28, 2002); degrees
of freedom are the effective number of groups, (Σ size)² / Σ size², less 1.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from distxml.evaluation.statistics.group_sums import GroupSums
from distxml.evaluation.statistics.groups import Groups
from distxml.evaluation.verdict import LEVEL

Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Estimates:
    """K estimates.

    Attributes:
        value: K; NaN where it is not defined.
        low, high: K ends of the 95% intervals; NaN where unknown: fewer than `MIN_GROUPS` groups have a value, or all
            values agree.
    """

    value: Values
    low: Values
    high: Values

    def within(self, low: Values, high: Values) -> "Estimates":
        """The same, its intervals cut at K ends beyond which there is nothing (infinite where there is)."""
        return Estimates(self.value, np.clip(self.low, low, high), np.clip(self.high, low, high))


def means(values: Values, groups: Groups) -> Estimates:
    """Means over the images of n×K values."""
    return estimates(GroupSums.of_means(values, groups))


def estimates(sums: GroupSums) -> Estimates:
    """Σ numerator / Σ denominator, with its interval."""
    error, skewness, effective = sums.error(), sums.skewness(), sums.effective
    percentile = _percentile(effective)
    return Estimates(
        value=sums.estimate,
        low=sums.estimate - error * _removed(percentile, skewness, effective),
        high=sums.estimate - error * _removed(-percentile, skewness, effective),
    )


def estimates_by_log(sums: GroupSums) -> Estimates:
    """The same of two sums that are 0 or more, its interval on the logarithm's scale: above 0, infinite at most."""
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        half = _percentile(sums.effective) * sums.error() / sums.estimate
        return Estimates(sums.estimate, sums.estimate * np.exp(-half), sums.estimate * np.exp(half))


def _percentile(effective: Values) -> Values:
    """97.5th of Student's t, K."""
    return student.isf(LEVEL / 2, np.maximum(effective - 1, 1))


def _removed(percentile: Values, skewness: Values, effective: Values) -> Values:
    """Which studentised deviation has Hall's transform at the percentile: K; the percentile itself without skewness."""
    root = np.sqrt(effective)
    with np.errstate(invalid="ignore", divide="ignore"):
        straight = percentile / root - skewness / (6 * effective)
        bent = (np.cbrt(1 + skewness * straight) - 1) * 3 / skewness
    return root * np.where(np.abs(skewness) > 1e-6, bent, straight)
