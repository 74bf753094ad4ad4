"""AOPC over all settings is the mean of the settings' AOPC, with an interval over images."""

from collections.abc import Sequence

import numpy as np
import pytest

from distxml.evaluation.aopc_table import CurveSet, aopc_overall, aopc_table, versus_random
from distxml.evaluation.intervals import Bootstrap
from tests.oracles import bootstrap as bootstrap_oracle
from tests.oracles import perturbation as perturbation_oracle


def test_overall_is_the_mean_over_settings() -> None:
    random = np.random.default_rng(0)
    curves = [
        CurveSet(method, size, "black", random.random((20, 5)), 0.0)
        for method in ("in_model", "random")
        for size in (4, 8, 16)
    ]
    bootstrap = Bootstrap(20, 500, 0)
    each, overall = aopc_table(curves, bootstrap), aopc_overall(curves, bootstrap)
    assert [row.method for row in overall] == ["in_model", "random"]
    for row in overall:
        assert row.settings == 3 and row.images == 20
        assert row.aopc == pytest.approx(np.mean([one.aopc for one in each if one.method == row.method]))
        assert row.low < row.aopc < row.high
    assert aopc_overall([], bootstrap) == []


def test_the_difference_to_random_is_paired_image_by_image() -> None:
    random = np.random.default_rng(1)
    level = random.random((15, 1))  # images differ far more than methods do: unpaired, the interval would be wide
    own, control = level * random.random((15, 5)), level * random.random((15, 5))
    bootstrap = Bootstrap(15, 201, 7)
    sets = [CurveSet("in_model", 8, "black", own, 0.0), CurveSet("random", 8, "black", control, 1.0)]
    (row,) = versus_random(sets, bootstrap)

    def difference(drawn: Sequence[int]) -> float:
        of_own, of_control = own[list(drawn)].tolist(), control[list(drawn)].tolist()
        return perturbation_oracle.aopc(of_own) - perturbation_oracle.aopc(of_control)

    counts = np.concatenate(list(bootstrap.counts()))
    assert row.difference == pytest.approx(difference(range(15)))
    assert (row.low, row.high) == pytest.approx(bootstrap_oracle.interval(counts, difference))
