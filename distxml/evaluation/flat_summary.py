"""A summary as one long table: one line per number, with its interval, which a reviewer can filter and pivot."""

from collections.abc import Iterator, Sequence
from typing import Any

from distxml.evaluation.summary import Summary
from distxml.evaluation.summary_rows import Aopc, AopcOverall, ClassCurve, Comparison, HeatmapMetric, Metric, OrderGap

COLUMNS = (
    "kind",
    "name",
    "method",
    "other",
    "order",
    "patch_size",
    "fill",
    "class",
    "steps",
    "share",
    "value",
    "low",
    "high",
    "images",
    "groups",
    "p",
    "primary",
    "tie_share",
    "wins",
)
"""A column that does not apply is empty: a line without a patch size is over all of them, one without a fill too, one
without a class is over all images, one without a value is not defined."""
Line = dict[str, Any]


def flat(summary: Summary) -> Iterator[Line]:
    """Every number with its kind and place, some of `COLUMNS` each; of the points of ROC and precision-recall curves
    only the areas.

    Kinds: count, metric, heatmap, aopc, auc, order_gap, aopc_overall, comparison (AOPC of `method` minus that of
    `other`), class_area, confusion (images of `class` that were predicted as `name`), aopc_by_steps.
    """
    for name in ("images", "groups", "annotated", "curve_images", "curve_groups"):
        yield {"kind": "count", "name": name, "value": getattr(summary, name)}
    yield from map(_metric, summary.metrics)
    yield from map(_heatmap, summary.heatmaps)
    yield from map(_aopc, summary.aopc)
    yield from (_auc(row) for row in summary.aopc if row.auc is not None)
    yield from map(_gap, summary.order_gaps)
    yield from map(_overall, summary.aopc_overall)
    yield from (_times_random(row) for row in summary.aopc_overall if row.times_random is not None)
    yield from map(_comparison, summary.comparisons)
    if summary.primary_under_other_gate:
        under = summary.primary_under_other_gate
        yield _comparison(under.comparison) | {"name": f"aopc_difference_{under.f}"}
    yield from _of_classes(summary)
    yield from (line for row in summary.aopc for line in _by_steps(row))


def _of_classes(summary: Summary) -> Iterator[Line]:
    for part in summary.by_class:
        own = {"class": part.class_name}
        for name in ("images", "groups", "curve_images", "curve_groups"):
            yield {"kind": "count", "name": name, "value": getattr(part, name)} | own
        yield from (_metric(row) | own for row in part.metrics)
        yield from (_heatmap(row) | own for row in part.heatmaps)
        yield from (_overall(row) | own for row in part.aopc_overall)
        yield from (_times_random(row) | own for row in part.aopc_overall if row.times_random is not None)
        yield from (_comparison(row) | own for row in part.comparisons)
    yield from _areas("roc_auc", summary.roc)
    yield from _areas("average_precision", summary.precision_recall)
    for true, row in zip(summary.classes, summary.confusion, strict=True):
        for predicted, count in zip(summary.classes, row, strict=True):
            yield {"kind": "confusion", "name": predicted, "class": true, "value": count}


def _areas(name: str, curves: Sequence[ClassCurve]) -> Iterator[Line]:
    for curve in curves:
        yield {"kind": "class_area", "name": name, "class": curve.class_name, "value": curve.area}


def _metric(row: Metric) -> Line:
    return {"kind": "metric"} | row.model_dump()


def _heatmap(row: HeatmapMetric) -> Line:
    return {"kind": "heatmap"} | row.model_dump()


def _aopc(row: Aopc) -> Line:
    left_out = {"aopc", "shares", "by_steps", "by_steps_low", "by_steps_high", "auc", "auc_low", "auc_high"}
    return {"kind": "aopc", "name": "aopc", "value": row.aopc} | row.model_dump(exclude=left_out)


def _auc(row: Aopc) -> Line:
    name = "deletion_auc" if row.order == "morf" else "insertion_auc"
    place = row.model_dump(include={"method", "patch_size", "order", "fill", "steps", "images", "tie_share"})
    return {"kind": "auc", "name": name, "value": row.auc, "low": row.auc_low, "high": row.auc_high} | place


def _gap(row: OrderGap) -> Line:
    return {"kind": "order_gap", "name": "lerf_minus_morf", "value": row.gap} | row.model_dump(exclude={"gap"})


def _overall(row: AopcOverall) -> Line:
    left_out = {"aopc", "settings", "times_random", "times_random_low", "times_random_high"}
    return {"kind": "aopc_overall", "name": "aopc", "value": row.aopc} | row.model_dump(exclude=left_out)


def _times_random(row: AopcOverall) -> Line:
    place = row.model_dump(include={"method", "order", "fill", "images"})
    ends = {"value": row.times_random, "low": row.times_random_low, "high": row.times_random_high}
    return {"kind": "aopc_overall", "name": "aopc_times_random"} | ends | place


def _comparison(row: Comparison) -> Line:
    return {"kind": "comparison", "name": "aopc_difference", "value": row.difference} | row.model_dump(
        exclude={"difference"}
    )


def _by_steps(row: Aopc) -> Iterator[Line]:
    place = {"method": row.method, "patch_size": row.patch_size, "order": row.order, "fill": row.fill}
    values = zip(row.shares, row.by_steps, row.by_steps_low, row.by_steps_high, strict=True)
    for steps, (share, value, low, high) in enumerate(values):
        ends = {"share": share, "value": value, "low": low, "high": high, "images": row.images}
        yield {"kind": "aopc_by_steps", "name": "aopc", "steps": steps} | ends | place
