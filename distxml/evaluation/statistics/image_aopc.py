"""The curves of an evaluation by method, patch size, order and fill, with the areas of each image's."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from distxml.config.evaluation import Fill, Method, Order
from distxml.evaluation.perturbation.areas import aopc_by_steps, area_under
from distxml.evaluation.scoring.plan import PlannedCurve, ScoringPlan
from distxml.evaluation.statistics.columns import Positions, list_lengths, row_grid
from distxml.evaluation.statistics.groups import Groups
from distxml.evaluation.statistics.intervals import means

SETTING = ("method", "patch_size", "order", "fill")
"""Columns that tell one set of curves from another."""

Values = NDArray[np.float64]

Labels = NDArray[np.int64]


@dataclass(frozen=True)
class CurveSet:
    """What is needed of the curves of n images at one setting; the images are sorted by key.

    Attributes:
        method, patch_size, order, fill: the setting.
        shares: L+1; share of the image that is replaced at each point, mean over the images.
        aopc: n.
        auc: n; None where not every patch was replaced.
        by_steps: L+1; mean AOPC of the images had it stopped at each point.
        by_steps_ends: 2×(L+1); low and high ends of each, NaN where unknown.
        tie_share: mean over the images.
    """

    method: Method
    patch_size: int
    order: Order
    fill: Fill
    shares: Values
    aopc: Values
    auc: Values | None
    by_steps: Values
    by_steps_ends: Values
    tie_share: float

    @property
    def steps(self) -> int:
        """L."""
        return len(self.shares) - 1


@dataclass(frozen=True)
class CurveSets:
    """All settings of the same n images.

    Attributes:
        sets: in the order of the plan, fills running fastest.
        label: n true classes.
        groups: of the images.
    """

    sets: tuple[CurveSet, ...]
    label: Labels
    groups: Groups


def curve_sets(plan: ScoringPlan, curves: pa.Table, share_limit: float | None) -> CurveSets:
    """The curves of `CURVES_SCHEMA`, in any order.

    Args:
        plan: of the evaluation.
        curves: all of them.
        share_limit: what they run over; see `aopc_by_steps`.

    Raises:
        ValueError: they are not those of the plan, each once per image.
    """
    fills = plan.fills if plan.curve_keys else ()
    planned: list[tuple[PlannedCurve, Fill]] = [(curve, fill) for curve in plan.curves for fill in fills]
    wanted = [(curve.method, curve.patch_size, curve.order, fill) for curve, fill in planned]
    grid = row_grid(curves, SETTING, wanted, len(plan.curve_keys))
    of_image = grid[0] if len(grid) else np.zeros(0, np.int64)
    label = curves["label"].to_numpy().astype(np.int64)[of_image]
    groups = Groups.of(curves["group"].take(of_image).to_pylist())
    tie_share = curves["tie_share"].to_numpy()
    values = zip(planned, grid, _values(curves["f"], grid), _values(curves["share"], grid), strict=True)
    measured = [
        measure(curve, fill, Points(f, shares, share_limit), tie_share[rows], groups)
        for (curve, fill), rows, f, shares in values
    ]
    return CurveSets(tuple(measured), label, groups)


@dataclass(frozen=True, eq=False)
class Points:
    """n curves: f and the share of the image that is replaced, n×(L+1) each, and what they run over."""

    f: Values
    shares: Values
    share_limit: float | None


def measure(curve: PlannedCurve, fill: Fill, points: Points, tie_share: Values, groups: Groups) -> CurveSet:
    """The areas of n curves.

    Args:
        curve: what was planned.
        fill: what replaced the patches.
        points: n×(L+1).
        tie_share: n.
        groups: of the n images.

    Raises:
        ValueError: the curves do not have the planned steps.
    """
    if points.f.shape[1] != curve.steps + 1 or points.shares.shape != points.f.shape:
        raise ValueError(f"curves of {curve.method} do not have {curve.steps} steps")
    by_steps = aopc_by_steps(points.f, points.shares, points.share_limit)
    found = means(by_steps, groups)
    return CurveSet(
        method=curve.method,
        patch_size=curve.patch_size,
        order=curve.order,
        fill=fill,
        shares=points.shares.mean(0),
        aopc=by_steps[:, -1].copy(),
        auc=area_under(points.f, points.shares) if curve.is_complete else None,
        by_steps=by_steps.mean(0),
        by_steps_ends=np.stack([found.low, found.high]),
        tie_share=float(tie_share.mean()),
    )


def _values(lists: pa.ChunkedArray, grid: Positions) -> Iterator[Values]:
    """Lists of one setting after the other, n×(L+1): all of them together may be too many to copy."""
    lengths, values = list_lengths(lists), lists.combine_chunks().flatten().to_numpy()
    starts = lengths.cumsum() - lengths
    for rows in grid:
        if (lengths[rows] != lengths[rows[0]]).any():
            raise ValueError("curves of one setting differ in their steps")
        yield values[starts[rows][:, None] + np.arange(int(lengths[rows[0]]))]


@dataclass(frozen=True, eq=False)
class ImageAopc:
    """AOPC of m of the n perturbed images at S settings of patch size and fill.

    Attributes:
        settings: S pairs of a patch size and a fill, in the order of the plan.
        label: m true classes.
        values: m×S of every method and order that has curves.
        groups: of the m images.
        images: n, True for the m images.
        only: the true class that all m images have; None: all images are there.
    """

    settings: tuple[tuple[int, Fill], ...]
    label: Labels
    values: dict[tuple[Method, Order], Values]
    groups: Groups
    images: NDArray[np.bool_]
    only: int | None = None

    @property
    def methods(self) -> tuple[Method, ...]:
        """In the order of the plan."""
        return tuple(dict.fromkeys(method for method, _ in self.values))

    @property
    def orders(self) -> tuple[Order, ...]:
        """In the order of the plan."""
        return tuple(dict.fromkeys(order for _, order in self.values))

    @property
    def fills(self) -> tuple[Fill, ...]:
        """In the order of the plan."""
        return tuple(dict.fromkeys(fill for _, fill in self.settings))

    def at(self, fill: Fill | None) -> NDArray[np.bool_]:
        """S: True for the settings with this fill; None: all of them."""
        return np.array([fill in (None, of_setting) for _, of_setting in self.settings])

    def of(self, method: Method, order: Order) -> Values:
        """m×S; a random order has no direction, so that `random` has the same for both orders."""
        return self.values[method, self.orders[0] if method == "random" else order]

    def of_class(self, label: int) -> "ImageAopc":
        """The images of one true class."""
        chosen = self.label == label
        return ImageAopc(
            settings=self.settings,
            label=self.label[chosen],
            values={place: values[chosen] for place, values in self.values.items()},
            groups=self.groups.over(chosen),
            images=chosen,
            only=label,
        )


def image_aopc(curves: CurveSets) -> ImageAopc:
    """AOPC of every image, from all settings."""
    columns: dict[tuple[Method, Order], list[CurveSet]] = {}
    for one in curves.sets:
        columns.setdefault((one.method, one.order), []).append(one)
    settings: dict[tuple[int, Fill], None] = dict.fromkeys((one.patch_size, one.fill) for one in curves.sets)
    return ImageAopc(
        settings=tuple(settings),
        label=curves.label,
        values={place: np.stack([one.aopc for one in sets], axis=1) for place, sets in columns.items()},
        groups=curves.groups,
        images=np.ones(len(curves.label), np.bool_),
    )
