"""Means and ratios over images, with intervals that a naive bootstrap agrees with."""

import math
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest

from distxml.evaluation.statistics.intervals import Bootstrap
from distxml.evaluation.statistics.means import MEANS, mean_metrics
from distxml.evaluation.summary import Metric
from distxml.evaluation.tables import IMAGES_SCHEMA
from tests.oracles import bootstrap as bootstrap_oracle

BOOTSTRAP = Bootstrap(12, 201, 0)


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
    return next(metric for metric in mean_metrics(table, BOOTSTRAP) if metric.name == name)


def test_the_ratio_of_heat_agrees_with_a_naive_bootstrap():
    generator = np.random.default_rng(3)
    heat = generator.random((2, 12)).tolist()
    inside, outside = ([None, *values[1:]] for values in heat)  # image 0 is not annotated
    counts = np.concatenate(list(BOOTSTRAP.counts()))

    def ratio(drawn: Sequence[int]) -> float:
        masked = [image for image in drawn if image != 0]
        return sum(heat[0][image] for image in masked) / sum(heat[1][image] for image in masked)

    metric = found(images(inside, outside), "heat_ratio")
    assert metric.value == pytest.approx(ratio(range(12)))
    assert (metric.low, metric.high) == pytest.approx(bootstrap_oracle.interval(counts, ratio))
    assert metric.images == 11


def test_resamples_without_heat_outside_count_as_infinite():
    inside, outside = [0.5] * 12, [0.0] * 10 + [0.125, 0.5]  # 13% of the resamples draw neither of the last two
    counts = np.concatenate(list(BOOTSTRAP.counts()))

    def ratio(drawn: Sequence[int]) -> float:
        below = sum(outside[image] for image in drawn)
        return sum(inside[image] for image in drawn) / below if below else math.inf

    low, high = bootstrap_oracle.interval(counts, ratio)
    metric = found(images(inside, outside), "heat_ratio")
    assert high == math.inf and metric.high is None
    assert metric.low == pytest.approx(low)


def test_no_heat_outside_at_all_has_no_ratio():
    metric = found(images([0.5] * 12, [0.0] * 12), "heat_ratio")
    assert (metric.value, metric.low, metric.high) == (None, None, None)


def test_accuracy_without_an_error_keeps_a_width():
    metric = found(images([0.5] * 12, [0.5] * 12), "accuracy")
    assert metric.value == metric.high == 1
    assert metric.low == pytest.approx(12 / (12 + 1.96**2), abs=1e-4)  # Wilson's lower end for 12 of 12
    assert found(images([0.5] * 12, [0.5] * 12, wrong=3), "accuracy").value == 0.75
