"""Metrics that are a mean over images, or a ratio of two."""

from collections.abc import Sequence
from typing import get_args

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from distxml.config.evaluation import Method
from distxml.evaluation.statistics.class_weighting import EQUAL, ClassWeighting
from distxml.evaluation.statistics.columns import known, row_grid, values_and_presence
from distxml.evaluation.statistics.intervals import Bootstrap, wilson
from distxml.evaluation.summary import HeatmapMetric, HeatmapName, Metric

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


def mean_metrics(images: pa.Table, bootstrap: Bootstrap, weighting: ClassWeighting = EQUAL) -> list[Metric]:
    """Accuracy, the means and the ratio of heat inside to outside the masks.

    The interval of accuracy is Wilson's; the others are bootstrapped as a sum over a sum.

    Args:
        images: with `IMAGES_SCHEMA`.
        bootstrap: over these images.
        weighting: of their classes, in the classification loss and the total.
    """
    correct = images["label"].to_numpy() == images["predicted"].to_numpy()
    low, high = wilson(int(correct.sum()), len(correct))
    accuracy = Metric(name="accuracy", value=float(correct.mean()), low=low, high=high, images=len(correct))
    numerators: list[Values] = []
    denominators: list[Values] = []
    for name in MEANS:
        values, present = weighting.parts(images, name)
        numerators.append(values)
        denominators.append(present)
    inside, both = values_and_presence(images, "heat_inside")
    numerators.append(inside)
    denominators.append(values_and_presence(images, "heat_outside")[0])
    counts = [int(np.count_nonzero(present)) for present in [*denominators[:-1], both]]
    names = (*MEANS, "heat_ratio")
    return [accuracy, *_ratio_metrics(names, np.stack(numerators, 1), np.stack(denominators, 1), counts, bootstrap)]


def _ratio_metrics(
    names: tuple[str, ...], numerators: Values, denominators: Values, counts: list[int], bootstrap: Bootstrap
) -> list[Metric]:
    low, high = bootstrap.ratios(numerators, denominators)
    with np.errstate(invalid="ignore", divide="ignore"):
        values = numerators.sum(0) / denominators.sum(0)
    return [
        Metric(name=name, value=known(values[i]), low=known(low[i]), high=known(high[i]), images=counts[i])
        for i, name in enumerate(names)
    ]


NAMES: tuple[HeatmapName, ...] = get_args(HeatmapName)


def heatmap_metrics(heatmaps: pa.Table, methods: Sequence[Method], bootstrap: Bootstrap) -> tuple[HeatmapMetric, ...]:
    """Every figure of every method, with its interval.

    Args:
        heatmaps: with `HEATMAPS_SCHEMA`, in any order.
        methods: those that have heatmaps.
        bootstrap: over the images of the table.

    Raises:
        ValueError: the table does not hold one row for every image and method.
    """
    if not methods or not bootstrap.images:
        return ()
    grid = row_grid(heatmaps, ("method",), [(method,) for method in methods], bootstrap.images)
    columns = [values_and_presence(heatmaps, name) for name in NAMES]
    places: list[tuple[Method, HeatmapName]] = [(method, name) for method in methods for name in NAMES]
    values = np.stack([column[rows] for rows in grid for column, _ in columns], axis=1)
    present = np.stack([column[rows] for rows in grid for _, column in columns], axis=1)
    low, high = bootstrap.ratios(values, present)
    images = present.sum(0)
    return tuple(
        HeatmapMetric(
            method=method,
            name=name,
            value=float(values[:, i].sum() / images[i]) if images[i] else None,
            low=known(low[i]),
            high=known(high[i]),
            images=int(images[i]),
        )
        for i, (method, name) in enumerate(places)
    )
