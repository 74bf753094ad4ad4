"""Mean curves over the images at every setting, with their pointwise 95% intervals."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from distxml.config.evaluation import Fill, Method, Order
from distxml.evaluation.intervals import Bootstrap

Values = NDArray[np.float64]
Steps = NDArray[np.int64]

MOST_POINTS = 150
"""Points of a curve that are drawn; a longer one is thinned evenly."""
REFERENCES: tuple[Method, ...] = ("in_model", "random")
"""Methods that have a band where all of them would hide each other."""
MOST_BANDS = 4


@dataclass(frozen=True)
class Setting:
    """A panel: side of the patches in pixels, and what replaces them."""

    patch_size: int
    fill: Fill


@dataclass(frozen=True)
class Curves:
    """The curves of one method at one setting: images×(L+1), in the table's order."""

    method: Method
    setting: Setting
    order: Order
    f: Values


@dataclass(frozen=True)
class MeanCurve:
    """The mean over the images at K of the steps, and the interval there; no band: its ends are None."""

    steps: Steps
    mean: Values
    low: Values | None
    high: Values | None


def curve_sets(table: pa.Table) -> list[Curves]:
    """A table of `CURVES_SCHEMA`, by method, setting and order; in the order of its first rows."""
    f = table["f"].combine_chunks()
    values, offsets = f.values.to_numpy(), f.offsets.to_numpy()
    names = table.select(["method", "patch_size", "order", "fill"]).to_pandas()
    sets = []
    for (method, patch_size, order, fill), rows in names.groupby(list(names.columns), sort=False).indices.items():
        length = offsets[rows[0] + 1] - offsets[rows[0]]
        curves = values[offsets[rows][:, None] + np.arange(length)]  # images×(L+1)
        sets.append(Curves(method, Setting(int(patch_size), fill), order, curves))
    return sets


def of_order(sets: Sequence[Curves], order: Order) -> list[Curves]:
    """Those of an order; a random order of patches has no direction and is among both."""
    return [curves for curves in sets if curves.order == order or curves.method == "random"]


def banded(methods: Sequence[Method]) -> set[Method]:
    """Methods whose interval is drawn: all while they can be told apart, else the references."""
    return set(methods) if len(methods) <= MOST_BANDS else set(methods) & set(REFERENCES)


def mean_curves(
    sets: Sequence[Curves], statistic: Callable[[Values], Values], resamples: int, seed: int
) -> Mapping[Setting, Mapping[Method, MeanCurve]]:
    """The mean of a statistic over the images, by setting and method.

    Args:
        sets: of one order; at least one.
        statistic: of each image's curve, images×(L+1) to the same shape.
        resamples: of the bootstrap.
        seed: of the run.
    """
    with_band = banded([curves.method for curves in sets if curves.setting == sets[0].setting])
    thinned = [_thinned(curves, statistic) for curves in sets]
    wide = [values for curves, (_, values) in zip(sets, thinned, strict=True) if curves.method in with_band]
    ends = iter(_intervals(wide, resamples, seed))
    means: dict[Setting, dict[Method, MeanCurve]] = {}
    for curves, (steps, values) in zip(sets, thinned, strict=True):
        low, high = next(ends) if curves.method in with_band else (None, None)
        means.setdefault(curves.setting, {})[curves.method] = MeanCurve(steps, values.mean(0), low, high)
    return means


def _thinned(curves: Curves, statistic: Callable[[Values], Values]) -> tuple[Steps, Values]:
    last = curves.f.shape[1] - 1
    steps = np.unique(np.linspace(0, last, min(MOST_POINTS, last + 1)).astype(np.int64))
    return steps, statistic(curves.f)[:, steps]


def _intervals(columns: Sequence[Values], resamples: int, seed: int) -> list[Values]:
    """Of each images×K its 2×K interval of the mean; one draw of images serves all."""
    if not columns:
        return []
    together = np.concatenate(columns, axis=1)
    ends = Bootstrap(len(together), resamples, seed).means(together)
    return np.split(ends, np.cumsum([values.shape[1] for values in columns])[:-1], axis=1)
