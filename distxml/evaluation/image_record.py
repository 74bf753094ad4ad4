"""What is known of one image after it was scored: its clean pass."""

from dataclasses import asdict, dataclass

import pyarrow as pa
from torch import Tensor

from distxml.data.batch import Batch
from distxml.evaluation.pompom import pompom
from distxml.evaluation.tables import IMAGES_SCHEMA
from distxml.losses import LossTerms


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


def describe(batch: Batch, logits: Tensor, heatmap: Tensor, terms: LossTerms) -> ImageRecord:
    """The record of a batch that holds one image.

    Args:
        batch: 1 image.
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
