"""Means over several runs, with intervals that hold for a new run and new patients together.

The runs are a draw of all trainings with their settings, the groups (patients) one of all patients, and every run has
scored every group: a crossed design. A mean of R runs varies with the runs drawn (variance of the runs' means over R),
and with the groups drawn (variance of the mean run over groups); what a run makes of a group differently is in both and
counts once. Each part has a standard error and degrees of freedom of its own, R - 1 and the effective number of groups
less 1; half-widths add up as squares. One t for their sum (Satterthwaite's degrees of freedom) is too narrow where few
runs differ much, and a bootstrap of runs and groups is too narrow wherever runs are few (`benchmarks/coverage.py`).

Sources: Owen, "The pigeonhole bootstrap", Annals of Applied Statistics 1 (2007), for the variance; Graybill, Wang,
"Confidence intervals on nonnegative linear combinations of variances", JASA 75 (1980), and Zou, Donner, "Construction
of confidence limits about effect measures", Statistics in Medicine 27 (2008), for the sum of half-widths.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from distxml.evaluation.statistics.group_sums import GroupSums
from distxml.evaluation.statistics.intervals import estimates
from distxml.evaluation.verdict import LEVEL

Values = NDArray[np.float64]

MIN_RUNS = 3
"""Fewer runs have no interval and no verdict: of two, an interval that holds the truth is too wide to say anything."""
SMALLEST_P = 1e-9


@dataclass(frozen=True, eq=False)
class CrossedEstimates:
    """K means over R runs.

    Attributes:
        value: K, means of the runs' values; NaN where a run has none.
        of_runs: R×K, each run's own.
        spread: K, standard deviation between the runs' values.
        low, high: K ends of the 95% intervals; NaN where unknown: fewer than `MIN_RUNS` runs, fewer than `MIN_GROUPS`
            effective groups, or no spread between groups.
        p: K p-values of "it is 0", two-sided, each by itself; NaN where the interval is unknown.
    """

    value: Values
    of_runs: Values
    spread: Values
    low: Values
    high: Values
    p: Values


@dataclass(frozen=True, eq=False)
class _Parts:
    """What the mean over R runs varies with; K squared standard errors each.

    Attributes:
        runs: by the runs that were drawn.
        groups: by the groups that were drawn.
        kept: K shares of `groups` that are not in `runs` as well.
        of_groups: K degrees of freedom of `groups`; those of `runs` are R - 1.
        number: R.
    """

    runs: Values
    groups: Values
    kept: Values
    of_groups: Values
    number: int

    def joined(self, of_runs: Values, of_groups: Values) -> Values:
        """K half-widths, from those of both parts; never below either."""
        return np.sqrt(np.maximum(of_runs**2 + self.kept * of_groups**2, of_groups**2))

    def half_width(self, level: Values) -> Values:
        """Of a symmetric interval that misses the truth in this share of all cases: K."""
        of_runs = student.isf(level / 2, self.number - 1) * np.sqrt(self.runs)
        return self.joined(of_runs, student.isf(level / 2, self.of_groups) * np.sqrt(self.groups))


def crossed(runs: Sequence[GroupSums]) -> CrossedEstimates:
    """Means over R runs of Σ numerator / Σ denominator over the same groups.

    Args:
        runs: of each run, of the same K figures.
    """
    of_runs = np.stack([run.estimate for run in runs])
    value = of_runs.mean(0)
    spread = of_runs.std(0, ddof=1) if len(runs) > 1 else np.full(len(value), np.nan)
    if len(runs) < MIN_RUNS:
        unknown = np.full(len(value), np.nan)
        return CrossedEstimates(value, of_runs, spread, unknown, unknown, unknown)
    mean_run = _mean_run(runs, value)
    parts = _parts(runs, mean_run, spread)
    of_groups = estimates(mean_run)
    half = student.isf(LEVEL / 2, len(runs) - 1) * np.sqrt(parts.runs)
    return CrossedEstimates(
        value=value,
        of_runs=of_runs,
        spread=spread,
        low=value - parts.joined(half, value - of_groups.low),
        high=value + parts.joined(half, of_groups.high - value),
        p=_p_values(value, parts),
    )


def holm(p: Values) -> Values:
    """K p-values, adjusted so that none of the wrong ones is below the level in 95 of 100 studies; NaN do not count.

    Source: Holm, "A simple sequentially rejective multiple test procedure", Scand. J. Statistics 6 (1979).
    """
    adjusted = np.full_like(p, np.nan)
    tested = np.flatnonzero(~np.isnan(p))
    order = tested[np.argsort(p[tested])]
    adjusted[order] = np.minimum(1, np.maximum.accumulate(p[order] * np.arange(len(order), 0, -1)))
    return adjusted


def _mean_run(runs: Sequence[GroupSums], value: Values) -> GroupSums:
    """The mean of the runs as one run, whose sums are shares of the totals."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return GroupSums(
            estimate=value,
            total=np.ones(1),
            residual=np.mean([run.residual / run.total for run in runs], axis=0),
            denominator=np.mean([run.share for run in runs], axis=0),
            present=np.min([run.present for run in runs], axis=0),
        )


def _parts(runs: Sequence[GroupSums], mean_run: GroupSums, spread: Values) -> _Parts:
    number = len(runs)
    with np.errstate(invalid="ignore", divide="ignore"):
        own = np.stack([run.residual / run.total for run in runs]) - mean_run.residual  # R×G×K
        weighed = np.where(own == 0, 0, own**2 / (1 - mean_run.share))
        in_both = weighed.sum((0, 1)) / (number * (number - 1))
        groups = mean_run.error() ** 2
        kept = np.clip(1 - in_both / groups, 0, 1)
    return _Parts(spread**2 / number, groups, kept, np.maximum(mean_run.effective - 1, 1), number)


def _p_values(value: Values, parts: _Parts) -> Values:
    """K levels at which the symmetric interval just reaches 0, by bisection of their logarithms."""
    low, high = np.full(len(value), np.log(SMALLEST_P)), np.zeros(len(value))
    for _ in range(40):
        middle = (low + high) / 2
        too_wide = parts.half_width(np.exp(middle)) > np.abs(value)
        low, high = np.where(too_wide, middle, low), np.where(too_wide, high, middle)
    return np.where(np.isnan(value) | np.isnan(parts.groups), np.nan, np.exp(high))
