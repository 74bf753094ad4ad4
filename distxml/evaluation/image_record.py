"""What is known of one image after it was scored, and how that travels from the workers: one Arrow row an image."""

from dataclasses import asdict, dataclass

import pyarrow as pa

from distxml.config.evaluation import Fill, Method
from distxml.data.batch import Batch
from distxml.evaluation.pompom import pompom
from distxml.evaluation.results import CURVES_SCHEMA, IMAGES_SCHEMA
from distxml.losses import LossTerms
from distxml.models.joint import JointOutput

OF_THE_IMAGE = ("key", "label")
"""Columns of the curves that are the image's own."""

SCORED_SCHEMA = IMAGES_SCHEMA.append(
    pa.field("curves", pa.list_(pa.struct([field for field in CURVES_SCHEMA if field.name not in OF_THE_IMAGE])))
)
"""One row an image, its curves nested."""


@dataclass(frozen=True)
class ImageRecord:
    """A row of `images.parquet`; see `IMAGES_SCHEMA`."""

    key: str
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


@dataclass(frozen=True)
class CurveRecord:
    """A row of `curves.parquet` without the image's columns; see `CURVES_SCHEMA`."""

    target: int
    method: Method
    patch_size: int
    fill: Fill
    steps: int
    f: list[float]
    aopc: float
    tie_share: float


def describe(batch: Batch, output: JointOutput, terms: LossTerms) -> ImageRecord:
    """The record of a batch that holds one image."""
    annotated = bool(batch.has_mask[0])
    heat, mask = output.heatmap.double(), batch.mask.double()
    inside, outside = float(mask.sum()), float((1 - mask).sum())
    both = annotated and inside > 0 and outside > 0
    outliers = pompom(output.heatmap, batch.mask)
    return ImageRecord(
        key=batch.key[0],
        label=int(batch.label[0]),
        predicted=int(output.logits[0].argmax()),
        probabilities=output.logits[0].double().softmax(0).tolist(),
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


def to_table(scored: list[tuple[ImageRecord, list[CurveRecord]]]) -> pa.Table:
    """Records as a table with `SCORED_SCHEMA`."""
    rows = [asdict(record) | {"curves": [asdict(curve) for curve in curves]} for record, curves in scored]
    return pa.Table.from_pylist(rows, SCORED_SCHEMA)


def split_table(scored: pa.Table) -> tuple[pa.Table, pa.Table]:
    """A table with `SCORED_SCHEMA`, in any order, as (images, curves), both sorted by key."""
    scored = scored.sort_by("key").combine_chunks()
    images = scored.select(IMAGES_SCHEMA.names).cast(IMAGES_SCHEMA)
    return images, _curves(scored)


def _curves(scored: pa.Table) -> pa.Table:
    if scored.num_rows == 0:
        return CURVES_SCHEMA.empty_table()
    nested = scored["curves"].combine_chunks()
    flat = pa.Table.from_struct_array(nested.flatten())
    image_of_curve = nested.value_parent_indices()
    for position, name in enumerate(OF_THE_IMAGE):
        flat = flat.add_column(position, name, scored[name].take(image_of_curve))
    return flat.select(CURVES_SCHEMA.names).cast(CURVES_SCHEMA)
