"""From the columns of several runs to their figures together."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distxml.config.evaluation import EvaluationSettings, PrimaryComparison
from distxml.evaluation.several_runs.columns import AopcPlace, RunColumns
from distxml.evaluation.several_runs.record import (
    AopcOverRuns,
    ComparisonOverRuns,
    MetricOverRuns,
    OtherGateOverRuns,
)
from distxml.evaluation.statistics.columns import known
from distxml.evaluation.statistics.crossed import CrossedEstimates, crossed, holm
from distxml.evaluation.statistics.group_sums import GroupSums
from distxml.evaluation.statistics.groups import Groups, Size
from distxml.evaluation.statistics.means import MEANS, bounds
from distxml.evaluation.statistics.over_runs import primary_p_value, shares_over_runs
from distxml.evaluation.statistics.resamples import Resamples
from distxml.evaluation.summary import Summary
from distxml.evaluation.summary_rows import Metric

Values = NDArray[np.float64]


def metrics_over_runs(columns: Sequence[RunColumns], summaries: Sequence[Summary]) -> tuple[MetricOverRuns, ...]:
    """In the order of the runs' own: with intervals those that are means, of the others values and spread."""
    means = crossed([one.means for one in columns])
    low, high = (np.clip(ends, *bounds(MEANS)) for ends in (means.low, means.high))
    intervals = {name: (low[i], high[i]) for i, name in enumerate(MEANS)} | {"accuracy": _accuracy(columns)}
    rows: list[MetricOverRuns] = []
    for own in zip(*(summary.metrics for summary in summaries), strict=True):
        ends = intervals.get(own[0].name, (np.nan, np.nan))
        rows.append(MetricOverRuns(name=own[0].name, method=None, **_of_own(own, ends)))
    return tuple(rows)


def _accuracy(columns: Sequence[RunColumns]) -> tuple[float, float]:
    right, groups = np.stack([one.right[:, None] for one in columns]), columns[0].groups
    found = crossed([GroupSums.of_means(run, groups) for run in right])
    low, high = shares_over_runs(right, groups, found)
    return low[0], high[0]


def _of_own(own: Sequence[Metric], ends: tuple[float, float]) -> dict[str, Any]:
    """Fields of a figure, from the runs' own."""
    of_runs = np.array([np.nan if one.value is None else one.value for one in own])
    fewest = min(own, key=lambda one: one.images)
    return {
        "of_runs": tuple(map(known, of_runs)),
        "value": known(of_runs.mean()),
        "spread": known(of_runs.std(ddof=1)),
        "low": known(ends[0]),
        "high": known(ends[1]),
        "images": fewest.images,
        "groups": fewest.groups,
    }


def heatmaps_over_runs(columns: Sequence[RunColumns], summaries: Sequence[Summary]) -> tuple[MetricOverRuns, ...]:
    """Agreement of every method's heatmaps with the masks."""
    sums = [one.heatmaps for one in columns if one.heatmaps is not None]
    if len(sums) < len(columns):
        return ()
    found = crossed(sums)
    places = columns[0].heatmap_places
    low, high = (np.clip(ends, *bounds([name for _, name in places])) for ends in (found.low, found.high))
    rows: list[MetricOverRuns] = []
    for i, (method, name) in enumerate(places):
        fewest = min((summary.heatmaps[i] for summary in summaries), key=lambda row: row.images)
        size = Size(fewest.images, fewest.groups)
        rows.append(MetricOverRuns(name=name, method=method, **_fields(found, i, (low[i], high[i]), size)))
    return tuple(rows)


def _fields(found: CrossedEstimates, i: int, ends: tuple[float, float], size: Size) -> dict[str, Any]:
    """Fields of the i-th figure."""
    return {
        "of_runs": tuple(map(known, found.of_runs[:, i])),
        "value": known(found.value[i]),
        "spread": known(found.spread[i]),
        "low": known(ends[0]),
        "high": known(ends[1]),
        "images": size.images,
        "groups": size.groups,
    }


def aopc_over_runs(columns: Sequence[RunColumns]) -> tuple[AopcOverRuns, ...]:
    """AOPC of every method and order, at every setting and over all of them."""
    places = [place for place in columns[0].aopc if place.other is None]
    if not places:
        return ()
    groups = columns[0].curve_groups
    found = _crossed_means(columns, places)
    return tuple(
        AopcOverRuns(
            method=place.method,
            order=place.order,
            patch_size=place.patch_size,
            fill=place.fill,
            **_fields(found, i, (found.low[i], found.high[i]), groups.size()),
        )
        for i, place in enumerate(places)
    )


def comparisons_over_runs(
    columns: Sequence[RunColumns], settings: EvaluationSettings, seed: int
) -> tuple[ComparisonOverRuns, ...]:
    """Every paired difference; the primary one and those over all settings with a p-value.

    Args:
        columns: of every run.
        settings: of the evaluation.
        seed: of the resamples of the primary comparison's test.
    """
    places = [place for place in columns[0].aopc if place.other is not None]
    if not places:
        return ()
    groups = columns[0].curve_groups
    found = _crossed_means(columns, places)
    primary = _primary_place(settings.primary, settings)
    tested = np.array([place.fill is None and place != primary for place in places])
    p = np.full(len(places), np.nan)
    p[tested] = holm(found.p[tested])
    if primary in places:
        mean_run = np.mean([one.aopc[primary] for one in columns], axis=0)
        own = found.p[places.index(primary)]
        p[places.index(primary)] = primary_p_value(own, mean_run, Resamples(groups, settings.bootstrap, seed))
    return tuple(
        ComparisonOverRuns(
            method=place.method,
            other=place.other or "",
            order=place.order,
            patch_size=place.patch_size,
            fill=place.fill,
            p=known(p[i]),
            primary=place == primary,
            **_fields(found, i, (found.low[i], found.high[i]), groups.size()),
        )
        for i, place in enumerate(places)
    )


def other_gate_over_runs(summaries: Sequence[Summary]) -> OtherGateOverRuns | None:
    """The primary comparison under the other gate, from the runs' own means; None where a run has none."""
    found = [one for summary in summaries if (one := summary.primary_under_other_gate)]
    if len(found) < len(summaries):
        return None
    first, of_runs = found[0].comparison, np.array([one.comparison.difference for one in found])
    comparison = ComparisonOverRuns(
        method=first.method,
        other=first.other,
        order=first.order,
        patch_size=first.patch_size,
        fill=first.fill,
        of_runs=tuple(map(known, of_runs)),
        value=known(of_runs.mean()),
        spread=known(of_runs.std(ddof=1)),
        low=None,
        high=None,
        p=None,
        images=first.images,
        groups=summaries[0].curve_groups,
        primary=first.primary,
    )
    return OtherGateOverRuns(f=found[0].f, comparison=comparison)


def _primary_place(primary: PrimaryComparison, settings: EvaluationSettings) -> AopcPlace:
    return AopcPlace(primary.method, primary.other, settings.orders[0], primary.patch_size, primary.fill)


def _crossed_means(columns: Sequence[RunColumns], places: Sequence[AopcPlace]) -> CrossedEstimates:
    groups: Groups = columns[0].curve_groups
    values: list[Values] = [np.stack([one.aopc[place] for place in places], axis=1) for one in columns]
    return crossed([GroupSums.of_means(run, groups) for run in values])
