"""AOPC over the images: at each setting, over all of them, and between the two orders."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from distxml.config.evaluation import Fill, Output
from distxml.evaluation.statistics.columns import known
from distxml.evaluation.statistics.family import Outcome
from distxml.evaluation.statistics.fieller import ratios_of_means
from distxml.evaluation.statistics.groups import Groups
from distxml.evaluation.statistics.image_aopc import CurveSet, ImageAopc, Values
from distxml.evaluation.statistics.intervals import means
from distxml.evaluation.summary_rows import Aopc, AopcOverall, Comparison, OrderGap

Element = TypeVar("Element")


def aopc_table(sets: Sequence[CurveSet], groups: Groups, output: Output) -> tuple[Aopc, ...]:
    """AOPC, and the area under whole curves of the output, of every set; in their order."""
    if not sets:
        return ()
    found = means(np.stack([curves.aopc for curves in sets], axis=1), groups)
    areas = _areas(sets, groups, output)
    return tuple(
        Aopc(
            method=curves.method,
            patch_size=curves.patch_size,
            order=curves.order,
            fill=curves.fill,
            steps=curves.steps,
            aopc=float(curves.aopc.mean()),
            low=known(found.low[i]),
            high=known(found.high[i]),
            images=len(curves.aopc),
            tie_share=curves.tie_share,
            shares=tuple(curves.shares.tolist()),
            by_steps=tuple(curves.by_steps.tolist()),
            by_steps_low=tuple(map(known, curves.by_steps_ends[0])),
            by_steps_high=tuple(map(known, curves.by_steps_ends[1])),
            auc=areas[i].value,
            auc_low=areas[i].low,
            auc_high=areas[i].high,
        )
        for i, curves in enumerate(sets)
    )


@dataclass(frozen=True)
class _Ends:
    """A figure and its interval; None where it is not defined or unknown."""

    value: float | None = None
    low: float | None = None
    high: float | None = None


def _areas(sets: Sequence[CurveSet], groups: Groups, output: Output) -> list[_Ends]:
    columns = [curves.auc for curves in sets if curves.auc is not None]
    if not columns:
        return [_Ends()] * len(sets)
    values = np.stack(columns, axis=1)
    found = means(values, groups)
    if output == "probability":
        found = found.within(np.zeros(1), np.ones(1))
    areas = iter(zip(found.value, found.low, found.high, strict=True))
    return [_Ends() if curves.auc is None else _Ends(*map(known, next(areas))) for curves in sets]


def aopc_overall(scores: ImageAopc) -> tuple[AopcOverall, ...]:
    """AOPC of every method and order over all patch sizes, at every fill and then over all fills.

    Settings weigh the same. Of a class only the mean over all fills.
    """
    if not len(scores.label):
        return ()
    fills: list[Fill | None] = [None] if scores.only is not None else [*scores.fills, None]
    return tuple(row for fill in fills for row in _overall(scores, fill))


def _overall(scores: ImageAopc, fill: Fill | None) -> Iterator[AopcOverall]:
    at = scores.at(fill)
    values = np.stack([values[:, at].mean(1) for values in scores.values.values()], axis=1)
    found, relative = means(values, scores.groups), _times_random(scores, values)
    for i, (method, order) in enumerate(scores.values):
        times = relative[i] if method != "random" else _Ends()
        yield AopcOverall(
            method=method,
            order=order,
            fill=fill,
            aopc=float(values[:, i].mean()),
            low=known(found.low[i]),
            high=known(found.high[i]),
            times_random=times.value,
            times_random_low=times.low,
            times_random_high=times.high,
            images=len(values),
            settings=int(at.sum()),
        )


def _times_random(scores: ImageAopc, values: Values) -> list[_Ends]:
    """Each column of n×K over that of the random order; nothing where the latter's mean is not clearly above 0."""
    if "random" not in scores.methods:
        return [_Ends()] * values.shape[1]
    place = [method for method, _ in scores.values].index("random")
    found = ratios_of_means(values, values[:, [place]], scores.groups)
    return [_Ends(*map(known, ends)) for ends in zip(found.value, found.low, found.high, strict=True)]


def order_gaps(tested: Sequence[Outcome]) -> tuple[OrderGap, ...]:
    """AOPC of MoRF minus that of LeRF, of differences between orders."""
    return tuple(
        OrderGap(
            method=one.difference.place.method,
            patch_size=some(one.difference.place.patch_size),
            fill=some(one.difference.place.fill),
            gap=float(one.difference.values.mean()),
            low=one.low,
            high=one.high,
            p=one.p,
            images=len(one.difference.values),
        )
        for one in tested
    )


def comparisons(tested: Sequence[Outcome]) -> tuple[Comparison, ...]:
    """AOPC of a method minus that of another, of differences between methods."""
    return tuple(
        Comparison(
            method=one.difference.place.method,
            other=some(one.difference.place.other),
            order=some(one.difference.place.order),
            patch_size=one.difference.place.patch_size,
            fill=one.difference.place.fill,
            difference=float(one.difference.values.mean()),
            low=one.low,
            high=one.high,
            p=one.p,
            primary=one.primary,
            wins=one.difference.wins,
            images=len(one.difference.values),
        )
        for one in tested
    )


def some(value: Element | None) -> Element:
    """What is there, as it is in differences of this kind."""
    assert value is not None
    return value
