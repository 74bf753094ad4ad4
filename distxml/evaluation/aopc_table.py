"""AOPC over the images, by method, patch size and fill, and against the random order."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from distxml.config.evaluation import Fill, Method
from distxml.evaluation.aopc import aopc_by_steps
from distxml.evaluation.intervals import Bootstrap
from distxml.evaluation.plan import Plan
from distxml.evaluation.results import Aopc, AopcDifference, AopcOverall

Values = NDArray[np.float64]


@dataclass(frozen=True)
class CurveSet:
    """The curves of all images for one method, patch size and fill: n×(L+1), sorted by key."""

    method: Method
    patch_size: int
    fill: Fill
    f: Values
    tie_share: float

    @property
    def by_steps(self) -> Values:
        """AOPC of every image after 0, 1, ... L steps: n×(L+1)."""
        return aopc_by_steps(self.f)

    @property
    def aopc(self) -> Values:
        """AOPC of every image: n."""
        return self.by_steps[:, -1]


def curve_sets(plan: Plan, curves: pa.Table) -> list[CurveSet]:
    """The curves of `CURVES_SCHEMA` by method, patch size and fill; in the order of the plan."""
    if not plan.curve_keys:
        return []
    return [_curve_set(curves, order.method, order.patch_size, fill) for order in plan.orders for fill in plan.fills]


def _curve_set(curves: pa.Table, method: Method, patch_size: int, fill: Fill) -> CurveSet:
    chosen = (pc.field("method") == method) & (pc.field("patch_size") == patch_size) & (pc.field("fill") == fill)
    rows = curves.filter(chosen)
    f = np.array(rows["f"].to_pylist(), np.float64)
    return CurveSet(method, patch_size, fill, f, float(rows["tie_share"].to_numpy().mean()))


def aopc_table(sets: list[CurveSet], bootstrap: Bootstrap) -> list[Aopc]:
    """AOPC of every set, in their order."""
    if not sets:
        return []
    low, high = _mean_intervals([curves.aopc for curves in sets], bootstrap)
    return [
        Aopc(
            method=curves.method,
            patch_size=curves.patch_size,
            fill=curves.fill,
            steps=curves.f.shape[1] - 1,
            aopc=float(curves.aopc.mean()),
            low=float(low[i]),
            high=float(high[i]),
            images=len(curves.f),
            tie_share=curves.tie_share,
            by_steps=tuple(curves.by_steps.mean(0).tolist()),
        )
        for i, curves in enumerate(sets)
    ]


def aopc_overall(sets: list[CurveSet], bootstrap: Bootstrap) -> list[AopcOverall]:
    """AOPC of every method over all its patch sizes and fills, which weigh the same."""
    methods: list[Method] = list(dict.fromkeys(curves.method for curves in sets))
    if not methods:
        return []
    of_method = {method: [curves.aopc for curves in sets if curves.method == method] for method in methods}
    means = [np.mean(of_method[method], axis=0) for method in methods]
    low, high = _mean_intervals(means, bootstrap)
    return [
        AopcOverall(
            method=method,
            aopc=float(means[i].mean()),
            low=float(low[i]),
            high=float(high[i]),
            images=len(means[i]),
            settings=len(of_method[method]),
        )
        for i, method in enumerate(methods)
    ]


def versus_random(sets: list[CurveSet], bootstrap: Bootstrap) -> list[AopcDifference]:
    """AOPC minus that of `random`, of every set of another method; empty without `random`."""
    control = {(curves.patch_size, curves.fill): curves.aopc for curves in sets if curves.method == "random"}
    others = [curves for curves in sets if curves.method != "random" and control]
    if not others:
        return []
    paired = [curves.aopc - control[curves.patch_size, curves.fill] for curves in others]
    low, high = _mean_intervals(paired, bootstrap)
    return [
        AopcDifference(
            method=curves.method,
            patch_size=curves.patch_size,
            fill=curves.fill,
            difference=float(paired[i].mean()),
            low=float(low[i]),
            high=float(high[i]),
            images=len(paired[i]),
        )
        for i, curves in enumerate(others)
    ]


def _mean_intervals(columns: list[Values], bootstrap: Bootstrap) -> Values:
    values = np.stack(columns, axis=1)  # n×K
    return bootstrap.ratios(values, np.ones_like(values))
