"""From the three tables to the summary: means, areas, AOPC and comparisons, each with its 95% interval."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from distxml import __version__
from distxml.config.evaluation import Method
from distxml.evaluation.prepare import Evaluation
from distxml.evaluation.scoring.plan import ScoringPlan
from distxml.evaluation.statistics.aopc_summary import (
    aopc_overall,
    aopc_table,
    comparisons,
    order_gaps,
    overall_comparisons,
)
from distxml.evaluation.statistics.class_weighting import EQUAL, ClassWeighting
from distxml.evaluation.statistics.classification import (
    area_metrics,
    confusion_matrix,
    precision_recall_curves,
    roc_curves,
)
from distxml.evaluation.statistics.image_aopc import ImageAopc, curve_sets, image_aopc
from distxml.evaluation.statistics.intervals import Bootstrap
from distxml.evaluation.statistics.means import heatmap_metrics, mean_metrics
from distxml.evaluation.summary import ClassCurve, ClassPart, Metric, Summary


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
    classes: Sequence[str],
    images: pa.Table,
    perturbed: Perturbed,
    bootstrap: Bootstrap,
    weighting: ClassWeighting = EQUAL,
) -> tuple[ClassPart, ...]:
    """One part per class, in their order.

    Args:
        classes: C names; a label is an index into them.
        images: with `IMAGES_SCHEMA`, sorted by key.
        perturbed: some of them.
        bootstrap: as of all images; each class has one over its own.
        weighting: of the classes; within a class all images weigh the same.
    """
    return tuple(
        _part(name, label, images, perturbed, bootstrap=bootstrap, weighting=weighting)
        for label, name in enumerate(classes)
    )


def _part(
    name: str, label: int, images: pa.Table, perturbed: Perturbed, *, bootstrap: Bootstrap, weighting: ClassWeighting
) -> ClassPart:
    chosen = pc.field("label") == label
    images, scores = images.filter(chosen), perturbed.scores.of_class(label)
    of_images, of_curves = bootstrap.over(images.num_rows), bootstrap.over(len(scores.label))
    return ClassPart(
        class_name=name,
        images=of_images.images,
        curve_images=of_curves.images,
        metrics=tuple(mean_metrics(images, of_images, weighting)) if of_images.images else (),
        heatmaps=heatmap_metrics(perturbed.heatmaps.filter(chosen), perturbed.methods, of_curves),
        aopc_overall=aopc_overall(scores, of_curves),
        order_gaps=order_gaps(scores, of_curves),
        comparisons=overall_comparisons(scores, of_curves),
    )


def summarize(evaluation: Evaluation, images: pa.Table, heatmaps: pa.Table, curves: pa.Table) -> Summary:
    """The summary of three tables (schemas of `distxml.evaluation.tables`), whatever the order of their rows.

    Args:
        evaluation: what was scored: recipe, dataset and plan.
        images: one row per image.
        heatmaps: one row per image and method.
        curves: one row per perturbation curve.

    Raises:
        ValueError: the heatmaps or curves are not those of the plan, each once per image.
    """
    settings, seed, plan = evaluation.recipe.evaluation, evaluation.recipe.run.seed, evaluation.plan
    metadata = evaluation.dataset.metadata
    images = images.sort_by("key")
    of_images = Bootstrap(images.num_rows, settings.bootstrap, seed)
    of_curves = of_images.over(len(plan.curve_keys))
    weighting = ClassWeighting(evaluation.recipe.phases.joint.alpha, evaluation.class_weights)
    classified = _classify(images, metadata.classes, of_images, weighting)
    methods = _with_heatmaps(plan)
    sets = curve_sets(plan, curves, of_curves)
    scores = image_aopc(sets)
    return Summary(
        made_by=f"distxml {__version__}",
        scored=evaluation.scored,
        dataset_path=str(evaluation.dataset.folder),
        dataset_name=metadata.name,
        dataset_sha256=evaluation.dataset.sha256,
        split=settings.split,
        images=images.num_rows,
        annotated=images.num_rows - images["pompom"].null_count,
        curve_images=len(plan.curve_keys),
        settings=settings,
        left_out_patch_sizes=plan.left_out_patch_sizes,
        seed=seed,
        classes=metadata.classes,
        class_weights=evaluation.class_weights,
        metrics=classified.metrics,
        heatmaps=heatmap_metrics(heatmaps, methods, of_curves),
        aopc=aopc_table(sets.sets, of_curves),
        order_gaps=order_gaps(scores, of_curves),
        aopc_overall=aopc_overall(scores, of_curves),
        comparisons=comparisons(scores, of_curves),
        by_class=class_parts(metadata.classes, images, Perturbed(heatmaps, methods, scores), of_images, weighting),
        roc=classified.roc,
        precision_recall=classified.precision_recall,
        confusion=classified.confusion,
    )


@dataclass(frozen=True)
class _Classified:
    """What the images' predictions give; fields of the summary."""

    metrics: tuple[Metric, ...]
    roc: tuple[ClassCurve, ...]
    precision_recall: tuple[ClassCurve, ...]
    confusion: tuple[tuple[int, ...], ...]


def _classify(
    images: pa.Table, classes: tuple[str, ...], bootstrap: Bootstrap, weighting: ClassWeighting
) -> _Classified:
    probabilities = _matrix(images["probabilities"], len(classes))
    label, predicted = (images[name].to_numpy().astype(np.int64) for name in ("label", "predicted"))
    roc = roc_curves(probabilities, label, classes)
    precision_recall = precision_recall_curves(probabilities, label, classes)
    areas = area_metrics(roc, precision_recall, probabilities, label, bootstrap)
    accuracy, *means = mean_metrics(images, bootstrap, weighting)
    confusion = confusion_matrix(predicted, label, len(classes))
    return _Classified((accuracy, *areas, *means), roc, precision_recall, confusion)


def _matrix(lists: pa.ChunkedArray, columns: int) -> NDArray[np.float64]:
    """N lists of the same length as N×columns."""
    return lists.combine_chunks().flatten().to_numpy().reshape(-1, columns)


def _with_heatmaps(plan: ScoringPlan) -> tuple[Method, ...]:
    """Methods that have one row per image in the table of heatmaps."""
    return tuple(method for method in plan.methods if method != "random") if plan.curve_keys else ()
