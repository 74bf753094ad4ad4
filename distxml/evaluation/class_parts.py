"""The same figures over the images of each true class alone, which say whether a class is explained worse."""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from distxml.config.evaluation import Method
from distxml.evaluation.aopc_table import aopc_overall, order_gaps
from distxml.evaluation.comparisons import overall_comparisons
from distxml.evaluation.heatmap_metrics import heatmap_metrics
from distxml.evaluation.image_aopc import ImageAopc
from distxml.evaluation.intervals import Bootstrap
from distxml.evaluation.mean_metrics import mean_metrics
from distxml.evaluation.summary import ClassPart


@dataclass(frozen=True)
class Perturbed:
    """What is known of the n perturbed images.

    Attributes:
        heatmaps: with `HEATMAPS_SCHEMA`.
        methods: those that have heatmaps.
        scores: AOPC.
    """

    heatmaps: pa.Table
    methods: Sequence[Method]
    scores: ImageAopc


def class_parts(
    classes: Sequence[str], images: pa.Table, perturbed: Perturbed, bootstrap: Bootstrap
) -> tuple[ClassPart, ...]:
    """A part a class, in their order.

    Args:
        classes: C names; a label is an index into them.
        images: with `IMAGES_SCHEMA`, sorted by key.
        perturbed: some of them.
        bootstrap: as of all images; each class has one over its own.
    """
    return tuple(_part(name, label, images, perturbed, bootstrap) for label, name in enumerate(classes))


def _part(name: str, label: int, images: pa.Table, perturbed: Perturbed, bootstrap: Bootstrap) -> ClassPart:
    chosen = pc.field("label") == label
    images, scores = images.filter(chosen), perturbed.scores.of_class(label)
    of_images, of_curves = bootstrap.over(images.num_rows), bootstrap.over(len(scores.label))
    return ClassPart(
        class_name=name,
        images=of_images.images,
        curve_images=of_curves.images,
        metrics=tuple(mean_metrics(images, of_images)) if of_images.images else (),
        heatmaps=heatmap_metrics(perturbed.heatmaps.filter(chosen), perturbed.methods, of_curves),
        aopc_overall=aopc_overall(scores, of_curves),
        order_gaps=order_gaps(scores, of_curves),
        comparisons=overall_comparisons(scores, of_curves),
    )
