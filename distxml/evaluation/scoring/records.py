"""Rows that scoring gives: one per image from its clean pass, one per image and method with all of its curves."""

from dataclasses import asdict, dataclass

import pyarrow as pa
import pyarrow.compute as pc
from torch import Tensor

from distxml.config.evaluation import Fill, Method, Order
from distxml.data.batch import Batch
from distxml.evaluation.scoring.localization import pompom
from distxml.evaluation.tables import CURVES_SCHEMA, HEATMAPS_SCHEMA, IMAGES_SCHEMA
from distxml.losses import LossTerms

SHARED = ("key", "group", "label", "target", "method")
"""Columns that heatmaps and curves have in common."""


@dataclass(frozen=True)
class ImageRecord:
    """A row of `images.parquet`; see `IMAGES_SCHEMA`."""

    key: str
    group: str | None
    label: int
    predicted: int
    probabilities: list[float]
    classification: float
    sparsity: float
    contiguity: float
    weak: float | None
    explanation: float
    total: float
    pompom: float | None
    pompom_all_pixels: float | None
    heat_mean: float
    heat_inside: float | None
    heat_outside: float | None


def describe(batch: Batch, group: str | None, logits: Tensor, heatmap: Tensor, terms: LossTerms) -> ImageRecord:
    """The record of a batch that holds one image.

    Args:
        batch: 1 image.
        group: of it.
        logits: 1×C of the scored model.
        heatmap: 1×1×H×W of the explainer.
        terms: of the loss, of shape 1.
    """
    annotated = bool(batch.has_mask[0])
    heat, mask = heatmap.double(), batch.mask.double()
    inside, outside = float(mask.sum()), float((1 - mask).sum())
    both = annotated and inside > 0 and outside > 0
    outliers = pompom(heatmap, batch.mask)
    return ImageRecord(
        key=batch.key[0],
        group=group,
        label=int(batch.label[0]),
        predicted=int(logits[0].argmax()),
        probabilities=logits[0].double().softmax(0).tolist(),
        classification=float(terms.classification),
        sparsity=float(terms.sparsity),
        contiguity=float(terms.contiguity),
        weak=float(terms.weak) if annotated else None,
        explanation=float(terms.explanation),
        total=float(terms.total),
        pompom=float(outliers.of_outside) if annotated else None,
        pompom_all_pixels=float(outliers.of_all_pixels) if annotated else None,
        heat_mean=float(heat.mean()),
        heat_inside=float((heat * mask).sum()) / inside if both else None,
        heat_outside=float((heat * (1 - mask)).sum()) / outside if both else None,
    )


def images_table(records: list[ImageRecord]) -> pa.Table:
    """Records as a table with `IMAGES_SCHEMA`, in their order."""
    return pa.Table.from_pylist([asdict(record) for record in records], IMAGES_SCHEMA)


METHODS_SCHEMA = HEATMAPS_SCHEMA.append(
    pa.field("curves", pa.list_(pa.struct([field for field in CURVES_SCHEMA if field.name not in SHARED])))
)
"""One row per image and method: its heatmap's figures, and all of its curves, nested, in the order of the plan."""


@dataclass(frozen=True)
class CurveRecord:
    """A row of `curves.parquet` without the columns that the method's row has; see `CURVES_SCHEMA`."""

    patch_size: int
    fill: Fill
    order: Order
    steps: int
    share: list[float]
    f: list[float]
    aopc: float
    tie_share: float


@dataclass(frozen=True)
class MethodRecord:
    """A row of `METHODS_SCHEMA`."""

    key: str
    group: str | None
    label: int
    target: int
    method: Method
    pompom: float | None
    pompom_all_pixels: float | None
    pompom_equal_area: float | None
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
