"""The figures of one run as columns over its images, which those of several runs are joined from."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from distxml.config.evaluation import Fill, Method, Order
from distxml.evaluation.results import Results
from distxml.evaluation.statistics.class_weighting import ClassWeighting
from distxml.evaluation.statistics.columns import row_grid, values_and_presence
from distxml.evaluation.statistics.group_sums import GroupSums
from distxml.evaluation.statistics.groups import Groups
from distxml.evaluation.statistics.means import MEANS, NAMES
from distxml.evaluation.statistics.paired import pairs

Values = NDArray[np.float64]
Keys = tuple[str, ...]
CURVE_PLACE = ("method", "patch_size", "order", "fill")


@dataclass(frozen=True)
class AopcPlace:
    """What an AOPC is of; `other` is None where it is no difference, patch size, or both, where it is over all."""

    method: Method
    other: Method | None
    order: Order
    patch_size: int | None = None
    fill: Fill | None = None


@dataclass(frozen=True, eq=False)
class RunColumns:
    """One run over its n images, of which m were perturbed; both sorted by key.

    Attributes:
        keys, curve_keys: of the n images and of the m.
        groups, curve_groups: of the same.
        right: n, 1 where the class was predicted rightly.
        means: of the `MEANS`.
        heatmaps: of every pair in `heatmap_places`; None where no method has heatmaps.
        aopc: m AOPC or differences of AOPC at every place.
    """

    keys: Keys
    curve_keys: Keys
    groups: Groups
    curve_groups: Groups
    right: Values
    means: GroupSums
    heatmap_places: tuple[tuple[Method, str], ...]
    heatmaps: GroupSums | None
    aopc: dict[AopcPlace, Values]


def run_columns(results: Results, weighting: ClassWeighting) -> RunColumns:
    """Of the results of one evaluation.

    Args:
        results: of a run.
        weighting: of its classes in the losses.
    """
    images = results.images.sort_by("key")
    groups = Groups.of(images["group"].to_pylist())
    places = tuple((row.method, row.name) for row in results.summary.heatmaps)
    drawn = set(results.curves["key"].unique().to_pylist())
    perturbed = images.filter(pa.array([key in drawn for key in images["key"].to_pylist()], pa.bool_()))
    curve_groups = Groups.of(perturbed["group"].to_pylist())
    right = (images["label"].to_numpy() == images["predicted"].to_numpy()).astype(np.float64)
    return RunColumns(
        keys=tuple(images["key"].to_pylist()),
        curve_keys=tuple(perturbed["key"].to_pylist()),
        groups=groups,
        curve_groups=curve_groups,
        right=right,
        means=_means(images, groups, weighting),
        heatmap_places=places,
        heatmaps=_heatmaps(results, places, curve_groups) if places else None,
        aopc=dict(_aopc(results, curve_groups.images)),
    )


def _means(images: pa.Table, groups: Groups, weighting: ClassWeighting) -> GroupSums:
    parts = [weighting.parts(images, name) for name in MEANS]
    values, present = (np.stack(columns, axis=1) for columns in zip(*parts, strict=True))
    return GroupSums.of(values, present, groups)


def _heatmaps(results: Results, places: tuple[tuple[Method, str], ...], groups: Groups) -> GroupSums:
    methods = list(dict.fromkeys(method for method, _ in places))
    grid = row_grid(results.heatmaps, ("method",), [(method,) for method in methods], groups.images)
    table = {name: values_and_presence(results.heatmaps, name) for name in NAMES}
    found = [[column[grid[methods.index(method)]] for column in table[name]] for method, name in places]
    values, present = (np.stack(columns, axis=1) for columns in zip(*found, strict=True))
    return GroupSums.of(values, present, groups)


def _aopc(results: Results, images: int) -> Iterator[tuple[AopcPlace, Values]]:
    """Every method at every setting, over the patch sizes at every fill and over all; then the differences of pairs."""
    rows = results.summary.aopc
    grid = row_grid(
        results.curves, CURVE_PLACE, [(row.method, row.patch_size, row.order, row.fill) for row in rows], images
    )
    values = results.curves["aopc"].to_numpy()
    of_place: dict[tuple[Method, Order], dict[tuple[int, Fill], Values]] = {}
    for row, positions in zip(rows, grid, strict=True):
        of_place.setdefault((row.method, row.order), {})[row.patch_size, row.fill] = values[positions]
        yield AopcPlace(row.method, None, row.order, row.patch_size, row.fill), values[positions]
    fills = dict.fromkeys(row.fill for row in rows)
    for fill in (*fills, None):
        for (method, order), of_setting in of_place.items():
            yield AopcPlace(method, None, order, fill=fill), _mean(of_setting, fill)
    methods: list[Method] = list(dict.fromkeys(method for method, _ in of_place))
    orders: list[Order] = list(dict.fromkeys(order for _, order in of_place))
    for method, other in pairs(methods):
        for order in orders:
            one, two = (of_place[name, orders[0] if name == "random" else order] for name in (method, other))
            differences = {setting: one[setting] - two[setting] for setting in one}
            for (patch_size, fill), values in differences.items():
                yield AopcPlace(method, other, order, patch_size, fill), values
            for fill in (*fills, None):
                yield AopcPlace(method, other, order, fill=fill), _mean(differences, fill)


def _mean(of_setting: dict[tuple[int, Fill], Values], fill: Fill | None) -> Values:
    """Over the patch sizes at a fill; None: over all fills too."""
    return np.mean([values for (_, of), values in of_setting.items() if fill in (None, of)], axis=0)
