"""Means over runs and groups, one run and one group at a time."""

import math
from collections.abc import Sequence

from scipy.stats import t as student

from tests.oracles import intervals

Run = Sequence[Sequence[float]]
"""The values of the images of each group."""


def mean_of_run(run: Run) -> float:
    """Over its images."""
    values = [value for group in run for value in group]
    return sum(values) / len(values)


def half_width(runs: Sequence[Run], level: float) -> float:
    """Of the symmetric interval."""
    sizes = [len(group) for group in runs[0]]
    effective = sum(sizes) ** 2 / sum(size**2 for size in sizes)
    by_groups, _ = parts_by_groups(runs)
    return joined(runs, level, float(student.isf(level / 2, effective - 1)) * math.sqrt(by_groups))


def interval(runs: Sequence[Run]) -> tuple[float, float]:
    """Of 95%; the part by groups is that of the mean run alone, its skewness taken out."""
    mean_run = [[sum(values) / len(runs) for values in zip(*group, strict=True)] for group in zip(*runs, strict=True)]
    low, high = intervals.interval([[(value, 1.0) for value in group] for group in mean_run])
    grand = sum(mean_of_run(run) for run in runs) / len(runs)
    return grand - joined(runs, 0.05, grand - low), grand + joined(runs, 0.05, high - grand)


def joined(runs: Sequence[Run], level: float, of_groups: float) -> float:
    """Half-widths by the runs drawn and by the groups drawn, added as squares; what is in both counts once."""
    number, means = len(runs), [mean_of_run(run) for run in runs]
    by_runs = sum((mean - sum(means) / number) ** 2 for mean in means) / (number - 1) / number
    by_groups, in_both = parts_by_groups(runs)
    of_runs = student.isf(level / 2, number - 1) ** 2 * by_runs
    kept = max(0.0, 1 - in_both / by_groups)
    return math.sqrt(max(of_runs + kept * of_groups**2, of_groups**2))


def parts_by_groups(runs: Sequence[Run]) -> tuple[float, float]:
    """Squared standard errors of the mean: by the groups drawn, and the part of it that each run has of its own."""
    number, sizes, means = len(runs), [len(group) for group in runs[0]], [mean_of_run(run) for run in runs]
    by_groups = in_both = 0.0
    for place, size in enumerate(sizes):
        weight = 1 - size / sum(sizes)
        own = [(sum(run[place]) - mean * size) / sum(sizes) for run, mean in zip(runs, means, strict=True)]
        middle = sum(own) / number
        by_groups += middle**2 / weight
        in_both += sum((one - middle) ** 2 for one in own) / weight / (number - 1) / number
    return by_groups, in_both
