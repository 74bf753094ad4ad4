"""The studentised bootstrap (bootstrap-t) of means and of ratios of sums over groups of images.

A percentile bootstrap of few images is too narrow: without any difference it calls 13 of 100 means of six images clear.
Divided by its own standard error in every resample, a mean keeps its level from six groups on, skewed data included
(`benchmarks/coverage.py`). Sources: Efron, Tibshirani, "An introduction to the bootstrap", section 12.5; the standard
error of a ratio over clusters is the linearised one of Cochran, "Sampling techniques", section 9A.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from distxml.evaluation.statistics.resamples import Resamples
from distxml.evaluation.summary import LEVEL, MIN_GROUPS

Values = NDArray[np.float64]
Flags = NDArray[np.bool_]

NO_SPREAD = 1e-9
"""A standard error below this share of the estimate (or of 1) is rounding: all groups agree, and say nothing of the
spread."""
PERCENTILES = (100 * LEVEL / 2, 100 * (1 - LEVEL / 2))
MAX_TIED = 0.002
"""Largest share of resamples without any spread; with more, as where nearly all values are equal, nothing is tested."""


@dataclass(frozen=True, eq=False)
class Studentized:
    """K estimates with their standard errors, and what the resamples say of the two.

    Attributes:
        estimate: K; NaN where it is not defined.
        error: K standard errors; NaN where it is unknown: fewer than `MIN_GROUPS` groups have a value, or all agree.
        samples: R×K, (estimate of the resample - estimate) / standard error of the resample; NaN where a resample has
            no value, infinite where it has one but no spread.
    """

    estimate: Values
    error: Values
    samples: Values

    @classmethod
    def of_all(cls, parts: Sequence["Studentized"]) -> "Studentized":
        """The estimates of several, one after the other; all from the same resamples."""
        return cls(
            np.concatenate([part.estimate for part in parts]),
            np.concatenate([part.error for part in parts]),
            np.concatenate([part.samples for part in parts], axis=1),
        )

    def columns(self, numbers: Sequence[int]) -> "Studentized":
        """Some of the estimates, by their places."""
        chosen = list(numbers)
        return Studentized(self.estimate[chosen], self.error[chosen], self.samples[:, chosen])

    def interval(self) -> Values:
        """Low and high ends of the 95% intervals: 2×K, NaN where unknown; equal-tailed."""
        low, high = self._ends()
        return np.stack([self.estimate - high * self.error, self.estimate - low * self.error])

    def t(self) -> Values:
        """K: the estimates in standard errors; NaN where there is none, or where too many resamples have no spread."""
        tied = np.isinf(self.samples).mean(0) > MAX_TIED
        with np.errstate(invalid="ignore"):
            return np.where(tied, np.nan, self.estimate / self.error)

    def p_values(self) -> Values:
        """K p-values of "it is 0", each by itself; below 0.05 where the interval lies on one side of 0."""
        t = self.t()
        above = (1 + (self.samples >= t).sum(0)) / (1 + len(self.samples))
        below = (1 + (self.samples <= t).sum(0)) / (1 + len(self.samples))
        return np.where(np.isnan(t), np.nan, np.minimum(1, 2 * np.minimum(above, below)))

    def adjusted_p_values(self) -> Values:
        """K p-values of "it is 0", adjusted so that no wrong one is among all K in 95 of 100 evaluations.

        The largest |t| of each resample is what each |t| is held against (single-step max-T). Source: Westfall, Young,
        "Resampling-based multiple testing", 1993, section 2.6.
        """
        t = self.t()
        tested = ~np.isnan(t)
        if not tested.any():
            return t
        largest = np.nanmax(np.abs(np.nan_to_num(self.samples[:, tested], nan=0.0)), axis=1)
        exceeded = (1 + (largest[:, None] >= np.abs(t[tested])).sum(0)) / (1 + len(largest))
        adjusted = np.full_like(t, np.nan)
        adjusted[tested] = exceeded
        return adjusted

    def _ends(self) -> Values:
        ends = np.full((2, len(self.estimate)), np.nan)
        known = ~np.isnan(self.error)
        partly = known & np.isnan(self.samples).any(0)
        for columns, percentile in ((known & ~partly, np.percentile), (partly, np.nanpercentile)):  # which is slow
            if columns.any():
                ends[:, columns] = percentile(self.samples[:, columns], PERCENTILES, axis=0, method="nearest")
        return ends


def studentized_means(values: Values, resamples: Resamples) -> Studentized:
    """Means over the images of n×K values."""
    return studentized_ratios(values, np.ones((len(values), 1)), resamples)


def studentized_ratios(numerators: Values, denominators: Values, resamples: Resamples) -> Studentized:
    """Σ numerator / Σ denominator over the images; a mean over some of them has 1 and 0 as denominators.

    Args:
        numerators: n×K.
        denominators: n×K, or n×1 where they are those of every column.
        resamples: of the groups of the n images.
    """
    return _studentized(_Sums.of(numerators, denominators, resamples), resamples, scale="linear")


def ratio_interval_by_log(numerators: Values, denominators: Values, resamples: Resamples) -> Values:
    """2×K ends of ratios of two positive sums, studentised on the logarithm's scale: above 0, infinite at most.

    Args:
        numerators: n×K, 0 or more.
        denominators: n×K, 0 or more.
        resamples: of the groups of the n images.
    """
    found = _studentized(_Sums.of(numerators, denominators, resamples), resamples, scale="log")
    with np.errstate(over="ignore"):
        return np.exp(found.interval())


@dataclass(frozen=True, eq=False)
class _Sums:
    """What the statistics need of the groups.

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
    def of(cls, numerators: Values, denominators: Values, resamples: Resamples) -> "_Sums":
        numerator, denominator = resamples.sums(numerators), resamples.sums(denominators)
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


def _studentized(sums: _Sums, resamples: Resamples, *, scale: Literal["linear", "log"]) -> Studentized:
    error = sums.error()
    samples = [_samples(sums, error, counts, scale) for counts in resamples.counts()]
    estimate = sums.estimate
    if scale == "log":
        with np.errstate(invalid="ignore", divide="ignore"):
            estimate, error = np.log(estimate), error / estimate
    return Studentized(estimate, error, np.concatenate([np.empty((0, len(error))), *samples]))


def _samples(sums: _Sums, error: Values, counts: Values, scale: Literal["linear", "log"]) -> Values:
    """r×K studentised deviations of r resamples from the estimate."""
    with np.errstate(invalid="ignore", divide="ignore"):
        total = counts @ sums.denominator
        drawn = counts @ sums.residual
        shift = drawn / total
        variance = _drawn_variance(sums, counts, drawn, shift, total)
        spread = variance > (1e-6 * error) ** 2
        deviation = shift if scale == "linear" else np.log1p(shift / sums.estimate)
        own_error = np.sqrt(np.where(spread, variance, 1)) / (1 if scale == "linear" else sums.estimate + shift)
        without = np.where(np.abs(shift) > NO_SPREAD * error, np.copysign(np.inf, shift), 0.0)
        return np.where(np.isnan(shift), np.nan, np.where(spread, deviation / own_error, without))


def _drawn_variance(sums: _Sums, counts: Values, drawn: Values, shift: Values, total: Values) -> Values:
    """r×K squared standard errors of r resamples: Σ (residual - shift × denominator)² over the groups drawn."""
    squares = counts @ sums.residual**2
    if np.ptp(sums.denominator) == 0:  # means over groups of one size: the products with the denominators are known
        of_each = sums.denominator[0, 0]
        mixed, own = of_each * drawn, of_each * total
    else:
        mixed, own = counts @ (sums.residual * sums.denominator), counts @ sums.denominator**2
    return sums.factor * np.maximum(squares - 2 * shift * mixed + shift**2 * own, 0) / total**2
