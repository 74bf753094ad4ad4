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
from distxml.evaluation.statistics.image_aopc import SETTING, ImageAopc
from distxml.evaluation.statistics.means import MEANS, NAMES
from distxml.evaluation.statistics.paired import differences_of_methods

Values = NDArray[np.float64]
Keys = tuple[str, ...]


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
        aopc=dict(_aopc(results, curve_groups)),
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


def _aopc(results: Results, groups: Groups) -> Iterator[tuple[AopcPlace, Values]]:
    """Every method at every setting, over the patch sizes at every fill and over all; then the differences of pairs."""
    scores = _image_aopc(results, groups)
    for row in results.summary.aopc:
        values = scores.of(row.method, row.order)[:, scores.settings.index((row.patch_size, row.fill))]
        yield AopcPlace(row.method, None, row.order, row.patch_size, row.fill), values
    for fill in (*scores.fills, None):
        for (method, order), values in scores.values.items():
            yield AopcPlace(method, None, order, fill=fill), values[:, scores.at(fill)].mean(1)
    for one in differences_of_methods(scores):
        place = one.place
        assert place.order is not None, "two methods are compared in one order"
        yield AopcPlace(place.method, place.other, place.order, place.patch_size, place.fill), one.values


def _image_aopc(results: Results, groups: Groups) -> ImageAopc:
    """From the table's AOPC; the curves themselves are not read."""
    rows = results.summary.aopc
    grid = row_grid(
        results.curves, SETTING, [tuple(getattr(row, name) for name in SETTING) for row in rows], groups.images
    )
    aopc, labels = results.curves["aopc"].to_numpy(), results.curves["label"].to_numpy()
    columns: dict[tuple[Method, Order], list[Values]] = {}
    for row, positions in zip(rows, grid, strict=True):
        columns.setdefault((row.method, row.order), []).append(aopc[positions])
    return ImageAopc(
        settings=tuple(dict.fromkeys((row.patch_size, row.fill) for row in rows)),
        label=labels[grid[0]] if len(grid) else labels[:0],
        values={place: np.stack(values, axis=1) for place, values in columns.items()},
        groups=groups,
        images=np.ones(groups.images, np.bool_),
    )
