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
    methods = methods.filter(pc.is_in(methods["method"], pa.array(plan.methods, pa.string())))
    lacking = len(keys) - images.num_rows, len(plan.curve_keys) * len(plan.methods) - methods.num_rows
    if any(lacking):
        raise RuntimeError(f"rows are missing after the evaluation (images, methods): {lacking}; nothing is written")
    heatmaps, curves = split_methods(_in_order(methods, plan.methods))
    return images.combine_chunks(), heatmaps, curves


def _of_keys(table: pa.Table, keys: Collection[str]) -> pa.Table:
    return table.filter(pc.is_in(table["key"], pa.array(list(keys), pa.string())))


def _in_order(methods: pa.Table, names: tuple[str, ...]) -> pa.Table:
    """By key, then as the methods were asked for."""
    place = pc.index_in(methods["method"], pa.array(names, pa.string()))
    order = pc.sort_indices(methods.append_column("place", place), [("key", "ascending"), ("place", "ascending")])
    return methods.take(order)
