"""Means and ratios over images, with intervals that a naive bootstrap agrees with."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest

from distxml.evaluation.statistics.groups import Groups
from distxml.evaluation.statistics.means import MEANS, mean_metrics
from distxml.evaluation.summary_rows import Metric
from distxml.evaluation.tables import IMAGES_SCHEMA

GROUPS = Groups(np.arange(12))


def images(inside: Sequence[float | None], outside: Sequence[float | None], wrong: int = 0) -> pa.Table:
    """The first `wrong` images are misclassified."""
    generator = np.random.default_rng(1)
    rows = [
        {name: float(generator.random()) for name in MEANS}
        | {"key": str(i), "label": 0, "predicted": int(i < wrong), "probabilities": [0.5, 0.5]}
        | {"heat_inside": inside[i], "heat_outside": outside[i]}
        for i in range(len(inside))
    ]
    return pa.Table.from_pylist(rows, IMAGES_SCHEMA)


def found(table: pa.Table, name: str) -> Metric:
    return next(metric for metric in mean_metrics(table, GROUPS) if metric.name == name)


def test_the_ratio_of_heat_is_over_annotated_images():
    inside, outside = ([None, *values] for values in np.random.default_rng(3).random((2, 11)).tolist())
    metric = found(images(inside, outside), "heat_ratio")
    assert metric.value == pytest.approx(sum(inside[1:]) / sum(outside[1:]))
    assert 0 < (metric.low or 0) < (metric.value or 0) < (metric.high or 0)
    assert (metric.images, metric.groups) == (11, None)


def test_shares_stay_between_0_and_1():
    table = images([0.99] * 11 + [0.2], [0.01] * 11 + [0.9])
    for name in ("heat_inside", "heat_outside"):
        metric = found(table, name)
        assert metric.low is not None and metric.high is not None
        assert 0 <= metric.low < metric.high <= 1


def test_groups_are_counted_among_the_images_that_have_the_value():
    table = images([None, None, *[0.5] * 10], [None, None, *[0.25] * 10])
    groups = Groups.of(["a", "a", "b", "b", "c", "c", "d", None, None, "e", "f", "g"])
    metrics = {metric.name: metric for metric in mean_metrics(table, groups)}
    assert (metrics["accuracy"].images, metrics["accuracy"].groups) == (12, 9)
    assert (metrics["heat_inside"].images, metrics["heat_inside"].groups) == (10, 8)


def test_no_heat_outside_at_all_has_no_ratio():
    metric = found(images([0.5] * 12, [0.0] * 12), "heat_ratio")
    assert (metric.value, metric.low, metric.high) == (None, None, None)


def test_accuracy_without_an_error_keeps_a_width():
    metric = found(images([0.5] * 12, [0.5] * 12), "accuracy")
    assert metric.value == metric.high == 1
    assert metric.low == pytest.approx(12 / (12 + 1.96**2), abs=1e-4)  # Wilson's lower end for 12 of 12
    assert found(images([0.5] * 12, [0.5] * 12, wrong=3), "accuracy").value == 0.75
