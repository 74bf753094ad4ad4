"""Tests of means and of ratios of sums over groups of images, by a studentised bootstrap (bootstrap-t).

A percentile bootstrap of few images calls too much clear: without any difference 13 of 100 means of six images. Divided
by its own standard error in every resample, a mean keeps its level from six groups on, skewed data included
(`benchmarks/coverage.py`). Source: Efron, Tibshirani, "An introduction to the bootstrap", section 12.5.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from distxml.evaluation.statistics.group_sums import NO_SPREAD, GroupSums
from distxml.evaluation.statistics.resamples import Resamples

Values = NDArray[np.float64]

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

    def t(self) -> Values:
        """K: the estimates in standard errors; NaN where there is none, or where too many resamples have no spread."""
        tied = np.isinf(self.samples).mean(0) > MAX_TIED
        with np.errstate(invalid="ignore"):
            return np.where(tied, np.nan, self.estimate / self.error)

    def p_values(self) -> Values:
        """K p-values of "it is 0", each by itself; two-sided, equal-tailed."""
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


def studentized(sums: GroupSums, resamples: Resamples) -> Studentized:
    """Σ numerator / Σ denominator, in all resamples of the groups."""
    error = sums.plain_error()
    samples = [_samples(sums, error, counts) for counts in resamples.counts()]
    return Studentized(sums.estimate, error, np.concatenate([np.empty((0, len(error))), *samples]))


def _samples(sums: GroupSums, error: Values, counts: Values) -> Values:
    """r×K studentised deviations of r resamples from the estimate."""
    with np.errstate(invalid="ignore", divide="ignore"):
        total = counts @ sums.denominator
        drawn = counts @ sums.residual
        shift = drawn / total
        variance = _drawn_variance(sums, counts, drawn, shift, total)
        spread = variance > (1e-6 * error) ** 2
        without = np.where(np.abs(shift) > NO_SPREAD * error, np.copysign(np.inf, shift), 0.0)
        deviations = np.where(spread, shift / np.sqrt(np.where(spread, variance, 1)), without)
        return np.where(np.isnan(shift), np.nan, deviations)


def _drawn_variance(sums: GroupSums, counts: Values, drawn: Values, shift: Values, total: Values) -> Values:
    """r×K squared standard errors of r resamples: Σ (residual - shift × denominator)² over the groups drawn."""
    squares = counts @ sums.residual**2
    if np.ptp(sums.denominator) == 0:  # means over groups of one size: the products with the denominators are known
        of_each = sums.denominator[0, 0]
        mixed, own = of_each * drawn, of_each * total
    else:
        mixed, own = counts @ (sums.residual * sums.denominator), counts @ sums.denominator**2
    return sums.factor * np.maximum(squares - 2 * shift * mixed + shift**2 * own, 0) / total**2
