"""`summary.csv` holds what the summary holds."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from distxml.evaluation.flat_summary import COLUMNS, Line, flat
from tests.unit.evaluation.made_evaluation import make_evaluation

NUMBERS = ("value", "low", "high", "steps", "share", "patch_size", "images", "groups", "p", "tie_share", "wins")
ELSEWHERE = {
    "version",
    "scored",
    "settings",  # also: how many patch sizes and fills an AOPC is over
    "left_out_patch_sizes",
    "seed",
    "x",
    "y",
}
"""Fields without a line: what was asked for, and the points of ROC and precision-recall curves."""


def numbers(value: Any) -> Iterator[float]:
    """Every number in a dumped record, however deep."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name not in ELSEWHERE:
                yield from numbers(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from numbers(inner)
    elif isinstance(value, int | float):
        yield value


@pytest.fixture(scope="module")
def lines() -> list[Line]:
    return list(flat(make_evaluation().summary))


def found(lines: list[Line], **place: Any) -> list[Line]:
    return [line for line in lines if all(line.get(name) == value for name, value in place.items())]


def test_no_number_is_missing(lines: list[Line]):
    there = {line[name] for line in lines for name in NUMBERS if line.get(name) is not None}
    assert set(numbers(make_evaluation().summary.model_dump())) <= there


def test_lines_have_the_columns_and_a_place_of_their_own(lines: list[Line]):
    assert set().union(*lines) == set(COLUMNS)
    kinds = ("count", "metric", "heatmap", "aopc", "auc", "order_gap", "aopc_overall", "comparison", "class_area")
    assert {line["kind"] for line in lines} == {*kinds, "confusion", "aopc_by_steps"}
    place = ("kind", "name", "method", "other", "order", "patch_size", "fill", "class", "steps")
    twice = Counter(tuple(line.get(name) for name in place) for line in lines)
    assert max(twice.values()) == 1


def test_some_lines(lines: list[Line]):
    summary = make_evaluation().summary
    (accuracy,) = found(lines, kind="metric", name="accuracy")[:1]
    assert accuracy == {"kind": "metric"} | summary.metric("accuracy").model_dump()
    gap = summary.order_gaps[0]
    line, *of_classes = found(lines, kind="order_gap", method=gap.method, patch_size=gap.patch_size, fill=gap.fill)
    assert of_classes == [] and "class" not in line
    assert (line["value"], line["low"], line["images"]) == (gap.gap, gap.low, gap.images)
    (deletion,) = found(lines, name="deletion_auc", method="lrp", fill="blur")
    (insertion,) = found(lines, name="insertion_auc", method="lrp", fill="blur")
    assert (deletion["order"], insertion["order"]) == ("morf", "lerf")
    overall = summary.comparison("in_model", "lrp", "lerf")
    assert overall is not None
    (line,) = [
        line
        for line in found(lines, kind="comparison", method="in_model", other="lrp", order="lerf")
        if "class" not in line and line["fill"] is None
    ]
    assert (line["value"], line["wins"]) == (overall.difference, overall.wins)
    (confused,) = found(lines, kind="confusion", **{"class": "circle", "name": "triangle"})
    assert confused["value"] == summary.confusion[0][1]
