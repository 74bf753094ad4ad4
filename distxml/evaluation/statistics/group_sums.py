"""What means and ratios need of the groups: a numerator and a denominator each, and how they spread."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from distxml.evaluation.statistics.groups import Groups
from distxml.evaluation.summary import MIN_GROUPS

Values = NDArray[np.float64]

NO_SPREAD = 1e-9
"""A standard error below this share of the estimate (or of 1) is rounding: all groups agree, and say nothing of the
spread."""


@dataclass(frozen=True, eq=False)
class GroupSums:
    """K ratios Σ numerator / Σ denominator over G groups.

    Attributes:
        estimate: K.
        total: K or 1, sum of the denominators.
        residual: G×K, numerator - estimate × denominator of each group; they add up to 0.
        denominator: G×K or G×1.
        present: K, groups that have a value.
    """

    estimate: Values
    total: Values
    residual: Values
    denominator: Values
    present: Values

    @classmethod
    def of(cls, numerators: Values, denominators: Values, groups: Groups) -> "GroupSums":
        """Sums over the groups of n×K numerators, and n×K or n×1 denominators."""
        numerator, denominator = groups.sums(numerators), groups.sums(denominators)
        total = denominator.sum(0)
        with np.errstate(invalid="ignore", divide="ignore"):
            estimate = numerator.sum(0) / total
            residual = numerator - np.where(np.isfinite(estimate), estimate, 0) * denominator
        present = ((numerator != 0) | (denominator != 0)).sum(0).astype(np.float64)
        return cls(estimate, total, residual, denominator, present)

    @property
    def factor(self) -> Values:
        """K: makes the variance unbiased; NaN for fewer than `MIN_GROUPS` groups."""
        return np.where(self.present >= MIN_GROUPS, self.present / np.maximum(self.present - 1, 1), np.nan)

    def error(self) -> Values:
        """K standard errors; NaN where unknown."""
        with np.errstate(invalid="ignore", divide="ignore"):
            error = np.sqrt(self.factor * (self.residual**2).sum(0)) / self.total
            spread = error > NO_SPREAD * np.maximum(1, np.abs(self.estimate))
        return np.where(spread & np.isfinite(self.estimate), error, np.nan)

    def skewness(self) -> Values:
        """K: of the groups' residuals; 0 where there is no spread."""
        with np.errstate(invalid="ignore", divide="ignore"):
            spread = np.sqrt((self.residual**2).sum(0) / (self.present - 1))
            skewness = (self.residual**3).sum(0) / self.present / spread**3
        return np.where(np.isfinite(skewness), skewness, 0.0)
