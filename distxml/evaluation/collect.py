"""From the rows that workers wrote down to the three tables of the results."""

from collections.abc import Collection

import pyarrow as pa
import pyarrow.compute as pc

from distxml.evaluation.journal import Finished
from distxml.evaluation.method_record import split_methods
from distxml.evaluation.plan import Plan


def collect(plan: Plan, keys: Collection[str], finished: Finished) -> tuple[pa.Table, pa.Table, pa.Table]:
    """Images, heatmaps and curves of the plan, in the order that `tables` says; a journal may hold others too.

    Args:
        plan: of the split.
        keys: of the split's images.
        finished: what the journal holds.

    Raises:
        RuntimeError: a row is missing.
    """
    images = _of_keys(finished.images, keys).sort_by("key")
    methods = _of_keys(finished.methods, plan.curve_keys)
    methods = methods.filter(pc.field("method").isin(list(plan.methods)))
    lacking = len(keys) - images.num_rows, len(plan.curve_keys) * len(plan.methods) - methods.num_rows
    if any(lacking):
        raise RuntimeError(f"rows are missing after the evaluation (images, methods): {lacking}; nothing is written")
    heatmaps, curves = split_methods(_in_order(methods, plan.methods))
    return images.combine_chunks(), heatmaps, curves


def _of_keys(table: pa.Table, keys: Collection[str]) -> pa.Table:
    return table.filter(pc.field("key").isin(list(keys)))


def _in_order(methods: pa.Table, names: tuple[str, ...]) -> pa.Table:
    """By key, then as the methods were asked for."""
    place = pa.array([names.index(method) for method in methods["method"].to_pylist()], pa.int64())
    placed = methods.append_column("place", place).sort_by([("key", "ascending"), ("place", "ascending")])
    return placed.drop_columns("place")
