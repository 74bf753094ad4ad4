"""Whether two evaluations say the same."""

import numpy as np
import pyarrow as pa

from distxml.evaluation.results import Results


def assert_same_results(found: Results, expected: Results) -> None:
    """The same rows in the same order, numbers to 1e-5; so are the summary's AOPC and comparisons."""
    assert_same(found.images, expected.images)
    assert_same(found.heatmaps, expected.heatmaps)
    assert_same(found.curves, expected.curves)
    for ours, theirs in zip(found.summary.aopc, expected.summary.aopc, strict=True):
        assert (ours.method, ours.patch_size, ours.order, ours.fill) == (
            theirs.method,
            theirs.patch_size,
            theirs.order,
            theirs.fill,
        )
        np.testing.assert_allclose(ours.by_steps, theirs.by_steps, atol=1e-5, rtol=0)
    for one, other in zip(found.summary.comparisons, expected.summary.comparisons, strict=True):
        assert (one.method, one.other, one.order) == (other.method, other.other, other.order)
        assert (one.patch_size, one.fill, one.verdict, one.wins) == (
            other.patch_size,
            other.fill,
            other.verdict,
            other.wins,
        )
        np.testing.assert_allclose(one.difference, other.difference, atol=1e-5, rtol=0)
        np.testing.assert_allclose((one.low, one.high), (other.low, other.high), atol=1e-5, rtol=0)


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
