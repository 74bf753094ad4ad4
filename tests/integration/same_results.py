"""Whether two evaluations say the same."""

from operator import attrgetter

import numpy as np
import pyarrow as pa

from distxml.evaluation.results import Results

SETTING = attrgetter("method", "patch_size", "order", "fill")
COMPARED = attrgetter("method", "other", "order", "patch_size", "fill", "verdict", "wins")


def assert_same_results(found: Results, expected: Results) -> None:
    """The same rows in the same order, numbers to 1e-5; so are the summary's AOPC and comparisons."""
    assert_same(found.images, expected.images)
    assert_same(found.heatmaps, expected.heatmaps)
    assert_same(found.curves, expected.curves)
    for ours, theirs in zip(found.summary.aopc, expected.summary.aopc, strict=True):
        assert SETTING(ours) == SETTING(theirs)
        np.testing.assert_allclose(ours.by_steps, theirs.by_steps, atol=1e-5, rtol=0)
    beside = [results.summary.primary_under_other_gate for results in (found, expected)]
    assert beside[0] is not None and beside[1] is not None and beside[0].f == beside[1].f
    pairs = [*zip(found.summary.comparisons, expected.summary.comparisons, strict=True)]
    for one, other in [*pairs, (beside[0].comparison, beside[1].comparison)]:
        assert COMPARED(one) == COMPARED(other)
        np.testing.assert_allclose(one.difference, other.difference, atol=1e-5, rtol=0)
        ends = [np.array([row.low, row.high], float) for row in (one, other)]  # unknown: NaN
        np.testing.assert_allclose(*ends, atol=1e-4, rtol=0)


def assert_same(found: pa.Table, expected: pa.Table) -> None:
    """The same rows in the same order, numbers to 1e-5."""
    assert found.schema == expected.schema
    assert found.num_rows == expected.num_rows
    for field in expected.schema:
        left, right = found[field.name].to_pylist(), expected[field.name].to_pylist()
        if "double" in str(field.type):
            assert [value is None for value in left] == [value is None for value in right], field.name
            pairs = [(a, b) for a, b in zip(left, right, strict=True) if a is not None]
            for a, b in pairs:
                np.testing.assert_allclose(a, b, atol=1e-5, rtol=0, err_msg=field.name)
        else:
            assert left == right, field.name
