"""How the methods' heatmaps agree with the masks: means over the images that have a value."""

from collections.abc import Sequence
from typing import get_args

import numpy as np
import pyarrow as pa

from distxml.config.evaluation import Method
from distxml.evaluation.columns import known, values_and_presence
from distxml.evaluation.intervals import Bootstrap
from distxml.evaluation.row_grid import row_grid
from distxml.evaluation.summary import HeatmapMetric, HeatmapName

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
