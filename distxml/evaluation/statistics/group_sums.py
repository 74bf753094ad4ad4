"""What means and ratios need of the groups: a numerator and a denominator each, and how they spread."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from distxml.evaluation.statistics.groups import Groups
from distxml.evaluation.verdict import MIN_GROUPS

Values = NDArray[np.float64]

NO_SPREAD = 1e-9
"""A standard error below this share of the estimate (or of 1) is rounding: all groups agree, and say nothing of the
spread."""
OF_ONE_SIZE = 0.9
"""Groups are nearly of one size where the effective number of them is above this share of their number."""


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
        """Sums over the groups of n images; a mean over some of them has 1 and 0 as denominators.

        Args:
            numerators: n×K.
            denominators: n×K, or n×1 where they are those of every column.
            groups: of the images.
        """
        numerator, denominator = groups.sums(numerators), groups.sums(denominators)
        total = denominator.sum(0)
        with np.errstate(invalid="ignore", divide="ignore"):
            estimate = numerator.sum(0) / total
            residual = numerator - np.where(np.isfinite(estimate), estimate, 0) * denominator
        present = ((numerator != 0) | (denominator != 0)).sum(0).astype(np.float64)
        return cls(estimate, total, residual, denominator, present)

    @classmethod
    def of_means(cls, values: Values, groups: Groups) -> "GroupSums":
        """For means over all images of n×K values."""
        return cls.of(values, np.ones((len(values), 1)), groups)

    @property
    def share(self) -> Values:
        """G×K or G×1: of the total, each group's denominator."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return self.denominator / self.total

    @property
    def effective(self) -> Values:
        """K: as many groups of one size would weigh the same; fewer than there are where a few hold most images."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.broadcast_to(1 / (self.share**2).sum(0), self.estimate.shape)

    @property
    def factor(self) -> Values:
        """K: makes a variance over groups of one size unbiased; NaN where fewer than `MIN_GROUPS` are effective."""
        enough = self.effective >= MIN_GROUPS - 1e-9
        return np.where(enough, self.present / np.maximum(self.present - 1, 1), np.nan)

    def plain_error(self) -> Values:
        """K standard errors, as if the groups were of one size; NaN where unknown."""
        return self._known(self.factor * (self.residual**2).sum(0))

    def error(self) -> Values:
        """K standard errors; NaN where unknown. A large group has drawn the estimate towards itself: its residual is
        too small by the square root of 1 - its share, which is put right."""
        with np.errstate(invalid="ignore", divide="ignore"):
            squares = np.where(self.residual == 0, 0, self.residual**2 / (1 - self.share)).sum(0)
        return self._known(np.where(np.isnan(self.factor), np.nan, squares))

    def _known(self, squares: Values) -> Values:
        with np.errstate(invalid="ignore", divide="ignore"):
            error = np.sqrt(squares) / self.total
            spread = error > NO_SPREAD * np.maximum(1, np.abs(self.estimate))
        return np.where(spread & np.isfinite(self.estimate), error, np.nan)

    def skewness(self) -> Values:
        """K: of the groups' residuals; 0 where there is no spread, and where sizes differ so much that a large group,
        which draws the estimate towards itself, would give it the wrong sign."""
        with np.errstate(invalid="ignore", divide="ignore"):
            spread = np.sqrt((self.residual**2).sum(0) / (self.present - 1))
            skewness = (self.residual**3).sum(0) / self.present / spread**3
            trusted = np.isfinite(skewness) & (self.effective > OF_ONE_SIZE * self.present)
        return np.where(trusted, skewness, 0.0)
