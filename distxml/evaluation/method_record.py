"""What is known of a method on one image after it was scored, and how that lies in the journal: one row each."""

from dataclasses import asdict, dataclass

import pyarrow as pa
import pyarrow.compute as pc

from distxml.config.evaluation import Fill, Method, Order
from distxml.evaluation.tables import CURVES_SCHEMA, HEATMAPS_SCHEMA

SHARED = ("key", "label", "target", "method")
"""Columns that heatmaps and curves have in common."""

METHODS_SCHEMA = HEATMAPS_SCHEMA.append(
    pa.field("curves", pa.list_(pa.struct([field for field in CURVES_SCHEMA if field.name not in SHARED])))
)
"""One row an image and method: its heatmap, and all of its curves, nested, in the order of the plan."""


@dataclass(frozen=True)
class CurveRecord:
    """A row of `curves.parquet` without the columns that the method's row has; see `CURVES_SCHEMA`."""

    patch_size: int
    fill: Fill
    order: Order
    steps: int
    f: list[float]
    aopc: float
    tie_share: float


@dataclass(frozen=True)
class MethodRecord:
    """A row of `METHODS_SCHEMA`."""

    key: str
    label: int
    target: int
    method: Method
    pompom: float | None
    pompom_all_pixels: float | None
    energy_inside: float | None
    pointing: float | None
    curves: list[CurveRecord]


def methods_table(records: list[MethodRecord]) -> pa.Table:
    """Records as a table with `METHODS_SCHEMA`, in their order."""
    return pa.Table.from_pylist([asdict(record) for record in records], METHODS_SCHEMA)


def split_methods(methods: pa.Table) -> tuple[pa.Table, pa.Table]:
    """A table with `METHODS_SCHEMA` as (heatmaps, curves), in its order; `random` has no heatmap."""
    methods = methods.combine_chunks()
    heatmaps = methods.select(HEATMAPS_SCHEMA.names).cast(HEATMAPS_SCHEMA)
    return heatmaps.filter(pc.field("method") != "random"), _curves(methods)


def _curves(methods: pa.Table) -> pa.Table:
    if methods.num_rows == 0:
        return CURVES_SCHEMA.empty_table()
    nested = methods["curves"].combine_chunks()
    flat = pa.Table.from_struct_array(nested.flatten())
    parent = nested.value_parent_indices()
    for name in SHARED:
        flat = flat.append_column(name, methods[name].take(parent))
    return flat.select(CURVES_SCHEMA.names).cast(CURVES_SCHEMA)
