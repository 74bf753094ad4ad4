"""AOPC over the images: at each setting, over all of them, and between the two orders."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from distxml.config.evaluation import Fill, Method, Order
from distxml.evaluation.statistics.image_aopc import CurveSet, ImageAopc
from distxml.evaluation.statistics.intervals import Bootstrap
from distxml.evaluation.summary import SAME, Aopc, AopcOverall, Comparison, OrderGap
from distxml.metrics.lookup import BETTER_AOPC

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


@dataclass(frozen=True)
class _Pairing:
    """Two methods at one setting, or over all of them (None); `difference` is n images' AOPC minus the other's."""

    method: Method
    other: Method
    order: Order
    patch_size: int | None
    fill: Fill | None
    difference: Values

    @property
    def wins(self) -> float:
        """Share of the images on which the method is better; equal ones count as half."""
        better = self.difference if BETTER_AOPC[self.order] == "higher" else -self.difference
        return float(((better > SAME) + 0.5 * (abs(better) <= SAME)).mean())


def comparisons(scores: ImageAopc, bootstrap: Bootstrap) -> tuple[Comparison, ...]:
    """Of each pair of methods and each order, all settings and then the one over all of them."""
    return _compared(list(_pairings(scores)), bootstrap)


def overall_comparisons(scores: ImageAopc, bootstrap: Bootstrap) -> tuple[Comparison, ...]:
    """Those over all settings alone."""
    return _compared([pairing for pairing in _pairings(scores) if pairing.patch_size is None], bootstrap)


def pairs(methods: Sequence[Method]) -> list[tuple[Method, Method]]:
    """Every other method with `random`, then `in_model` with every other one, if they are there; no pair twice."""
    with_random: list[tuple[Method, Method]] = [(method, "random") for method in methods if method != "random"]
    of_in_model: list[tuple[Method, Method]] = [("in_model", method) for method in methods if method != "in_model"]
    found = (with_random if "random" in methods else []) + (of_in_model if "in_model" in methods else [])
    return list(dict.fromkeys(found))


def _pairings(scores: ImageAopc) -> Iterator[_Pairing]:
    for method, other in pairs(scores.methods) if len(scores.label) else []:
        for order in scores.orders:
            differences = scores.of(method, order) - scores.of(other, order)
            for (patch_size, fill), difference in zip(scores.settings, differences.T, strict=True):
                yield _Pairing(method, other, order, patch_size, fill, difference)
            yield _Pairing(method, other, order, None, None, differences.mean(1))


def _compared(pairings: Sequence[_Pairing], bootstrap: Bootstrap) -> tuple[Comparison, ...]:
    if not pairings:
        return ()
    low, high = bootstrap.means(np.stack([pairing.difference for pairing in pairings], axis=1))
    return tuple(
        Comparison(
            method=pairing.method,
            other=pairing.other,
            order=pairing.order,
            patch_size=pairing.patch_size,
            fill=pairing.fill,
            difference=float(pairing.difference.mean()),
            low=float(low[i]),
            high=float(high[i]),
            wins=pairing.wins,
            images=len(pairing.difference),
        )
        for i, pairing in enumerate(pairings)
    )
