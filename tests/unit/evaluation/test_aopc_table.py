"""AOPC over all settings is the mean of the settings' AOPC, with an interval over images."""

import numpy as np
import pytest

from distxml.evaluation.aopc_table import CurveSet, aopc_overall, aopc_table
from distxml.evaluation.intervals import Bootstrap


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
