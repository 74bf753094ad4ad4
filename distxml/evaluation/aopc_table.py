"""AOPC over the images: at each setting, over all of them, and between the two orders."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from distxml.config.evaluation import Fill, Method
from distxml.evaluation.curve_sets import CurveSet
from distxml.evaluation.image_aopc import ImageAopc
from distxml.evaluation.intervals import Bootstrap
from distxml.evaluation.summary import Aopc, AopcOverall, OrderGap

Values = NDArray[np.float64]


def aopc_table(sets: Sequence[CurveSet], bootstrap: Bootstrap) -> tuple[Aopc, ...]:
    """AOPC, and the area under whole curves, of every set; in their order."""
    if not sets:
        return ()
    low, high = bootstrap.means(np.stack([curves.aopc for curves in sets], axis=1))
    areas = _areas(sets, bootstrap)
    return tuple(
        Aopc(
            method=curves.method,
            patch_size=curves.patch_size,
            order=curves.order,
            fill=curves.fill,
            steps=curves.steps,
            aopc=float(curves.aopc.mean()),
            low=float(low[i]),
            high=float(high[i]),
            images=len(curves.aopc),
            tie_share=curves.tie_share,
            by_steps=tuple(curves.by_steps.tolist()),
            by_steps_low=tuple(curves.by_steps_ends[0].tolist()),
            by_steps_high=tuple(curves.by_steps_ends[1].tolist()),
            auc=areas[i].value,
            auc_low=areas[i].low,
            auc_high=areas[i].high,
        )
        for i, curves in enumerate(sets)
    )


@dataclass(frozen=True)
class _Area:
    """Mean area under a set's curves, and its interval; None where not every patch was replaced."""

    value: float | None = None
    low: float | None = None
    high: float | None = None


def _areas(sets: Sequence[CurveSet], bootstrap: Bootstrap) -> list[_Area]:
    columns = [curves.auc for curves in sets if curves.auc is not None]
    if not columns:
        return [_Area()] * len(sets)
    values = np.stack(columns, axis=1)
    known = iter(np.stack([values.mean(0), *bootstrap.means(values)], axis=1).tolist())
    return [_Area() if curves.auc is None else _Area(*next(known)) for curves in sets]


def aopc_overall(scores: ImageAopc, bootstrap: Bootstrap) -> tuple[AopcOverall, ...]:
    """AOPC of every method and order over all patch sizes and fills, which weigh the same."""
    if not len(scores.label):
        return ()
    means = np.stack([values.mean(1) for values in scores.values.values()], axis=1)
    low, high = bootstrap.means(means)
    return tuple(
        AopcOverall(
            method=method,
            order=order,
            aopc=float(means[:, i].mean()),
            low=float(low[i]),
            high=float(high[i]),
            images=len(means),
            settings=len(scores.settings),
        )
        for i, (method, order) in enumerate(scores.values)
    )


def order_gaps(scores: ImageAopc, bootstrap: Bootstrap) -> tuple[OrderGap, ...]:
    """AOPC of MoRF minus that of LeRF at every setting; none without both orders or images, and none for `random`."""
    methods: list[Method] = [method for method in scores.methods if method != "random"]
    if set(scores.orders) != {"morf", "lerf"} or not methods or not len(scores.label):
        return ()
    places: list[tuple[Method, tuple[int, Fill]]] = [(method, one) for method in methods for one in scores.settings]
    gaps = np.concatenate([scores.of(method, "morf") - scores.of(method, "lerf") for method in methods], axis=1)
    low, high = bootstrap.means(gaps)
    return tuple(
        OrderGap(
            method=method,
            patch_size=size,
            fill=fill,
            gap=float(gaps[:, i].mean()),
            low=float(low[i]),
            high=float(high[i]),
            images=len(gaps),
        )
        for i, (method, (size, fill)) in enumerate(places)
    )
