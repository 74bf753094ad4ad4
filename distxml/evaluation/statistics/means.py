"""Metrics that are a mean over images, or a ratio of two."""

from collections.abc import Sequence
from typing import get_args

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from distxml.config.evaluation import Method
from distxml.evaluation.statistics.class_weighting import EQUAL, ClassWeighting
from distxml.evaluation.statistics.columns import known, row_grid, values_and_presence
from distxml.evaluation.statistics.group_sums import GroupSums
from distxml.evaluation.statistics.groups import Groups, Size
from distxml.evaluation.statistics.intervals import estimates, estimates_by_log
from distxml.evaluation.statistics.proportions import share_interval
from distxml.evaluation.summary_rows import HeatmapMetric, HeatmapName, Metric
from distxml.metrics.lookup import metric_entry

MEANS = (
    "classification",
    "sparsity",
    "contiguity",
    "weak",
    "explanation",
    "total",
    "pompom",
    "pompom_all_pixels",
    "heat_mean",
    "heat_inside",
    "heat_outside",
)
"""Columns of the images whose means are metrics; over the images that have the value."""

Values = NDArray[np.float64]


def mean_metrics(images: pa.Table, groups: Groups, weighting: ClassWeighting = EQUAL) -> list[Metric]:
    """Accuracy, the means and the ratio of heat inside to outside the masks.

    Args:
        images: with `IMAGES_SCHEMA`.
        groups: of these images.
        weighting: of their classes, in the classification loss and the total.
    """
    correct = (images["label"].to_numpy() == images["predicted"].to_numpy()).astype(np.float64)
    ends = share_interval(correct, groups.number)
    accuracy = _metric("accuracy", float(correct.mean()), ends, groups.size())
    parts = [weighting.parts(images, name) for name in MEANS]
    values, present = (np.stack(columns, axis=1) for columns in zip(*parts, strict=True))
    found = estimates(GroupSums.of(values, present, groups)).within(*bounds(MEANS))
    means = [
        _metric(name, found.value[i], (found.low[i], found.high[i]), groups.size(present[:, i]))
        for i, name in enumerate(MEANS)
    ]
    return [accuracy, *means, _heat_ratio(images, groups)]


def _heat_ratio(images: pa.Table, groups: Groups) -> Metric:
    inside, both = values_and_presence(images, "heat_inside")
    outside, _ = values_and_presence(images, "heat_outside")
    found = estimates_by_log(GroupSums.of(inside[:, None], outside[:, None], groups))
    return _metric("heat_ratio", found.value[0], (found.low[0], found.high[0]), groups.size(both))


def _metric(name: str, value: float, ends: tuple[float, float], size: Size) -> Metric:
    low, high = map(known, ends)
    return Metric(name=name, value=known(value), low=low, high=high, images=size.images, groups=size.groups)


def bounds(names: Sequence[str]) -> tuple[Values, Values]:
    """0 and 1 where the metric has no sense beyond, for K metrics; else infinite."""
    shares = np.array([metric_entry(name).is_between_0_and_1 for name in names], np.bool_)
    return np.where(shares, 0, -np.inf), np.where(shares, 1, np.inf)


NAMES: tuple[HeatmapName, ...] = get_args(HeatmapName)


def heatmap_metrics(heatmaps: pa.Table, methods: Sequence[Method], groups: Groups) -> tuple[HeatmapMetric, ...]:
    """Every figure of every method, with its interval.

    Args:
        heatmaps: with `HEATMAPS_SCHEMA`, in any order.
        methods: those that have heatmaps.
        groups: of the table's images, which are sorted by key.

    Raises:
        ValueError: the table does not hold one row for every image and method.
    """
    if not methods or not groups.images:
        return ()
    grid = row_grid(heatmaps, ("method",), [(method,) for method in methods], groups.images)
    columns = [values_and_presence(heatmaps, name) for name in NAMES]
    places: list[tuple[Method, HeatmapName]] = [(method, name) for method in methods for name in NAMES]
    values = np.stack([column[rows] for rows in grid for column, _ in columns], axis=1)
    present = np.stack([column[rows] for rows in grid for _, column in columns], axis=1)
    found = estimates(GroupSums.of(values, present, groups)).within(*bounds([name for _, name in places]))
    sizes = [groups.size(present[:, i]) for i in range(len(places))]
    return tuple(
        HeatmapMetric(
            method=method,
            name=name,
            value=known(found.value[i]),
            low=known(found.low[i]),
            high=known(found.high[i]),
            images=sizes[i].images,
            groups=sizes[i].groups,
        )
        for i, (method, name) in enumerate(places)
    )
