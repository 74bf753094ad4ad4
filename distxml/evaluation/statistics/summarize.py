"""From the three tables to the summary: means, areas, AOPC and comparisons, each with its 95% interval."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from distxml import __version__
from distxml.config.evaluation import EvaluationSettings, Method
from distxml.evaluation.prepare import Evaluation
from distxml.evaluation.scoring.plan import ScoringPlan
from distxml.evaluation.statistics.aopc_summary import aopc_overall, aopc_table, comparisons, order_gaps
from distxml.evaluation.statistics.class_weighting import EQUAL, ClassWeighting
from distxml.evaluation.statistics.classification import (
    area_metrics,
    confusion_matrix,
    precision_recall_curves,
    roc_curves,
)
from distxml.evaluation.statistics.family import Outcome, outcomes_of
from distxml.evaluation.statistics.groups import Groups
from distxml.evaluation.statistics.image_aopc import ImageAopc, curve_sets, image_aopc
from distxml.evaluation.statistics.means import heatmap_metrics, mean_metrics
from distxml.evaluation.statistics.paired import Place, differences_of_methods, differences_of_orders
from distxml.evaluation.statistics.resamples import Resamples
from distxml.evaluation.summary import Summary
from distxml.evaluation.summary_rows import ClassCurve, ClassPart, Metric, OtherGate


@dataclass(frozen=True)
class Perturbed:
    """What is known of the n perturbed images.

    Attributes:
        heatmaps: with `HEATMAPS_SCHEMA`.
        methods: those that have heatmaps.
        scores: AOPC of all of them, then of those of each class.
        outcomes: of every paired difference.
    """

    heatmaps: pa.Table
    methods: Sequence[Method]
    scores: Sequence[ImageAopc]
    outcomes: Mapping[Place, Outcome]

    def between_methods(self, scores: ImageAopc) -> list[Outcome]:
        """Differences between methods over these images."""
        return [one for place, one in self._over(scores) if place.other is not None]

    def between_orders(self, scores: ImageAopc) -> list[Outcome]:
        """Differences between orders over these images."""
        return [one for place, one in self._over(scores) if place.other is None]

    def _over(self, scores: ImageAopc) -> list[tuple[Place, Outcome]]:
        return [(place, one) for place, one in self.outcomes.items() if place.label == scores.only]


def compare(scores: Sequence[ImageAopc], settings: EvaluationSettings, seed: int) -> dict[Place, Outcome]:
    """All differences between methods and between orders, tested as one family beside the primary comparison."""
    differences = [one for part in scores for one in (*differences_of_methods(part), *differences_of_orders(part))]
    resamples = Resamples(scores[0].groups, settings.bootstrap, seed)
    return outcomes_of(differences, resamples, primary_place(settings))


def class_parts(
    classes: Sequence[str],
    images: pa.Table,
    perturbed: Perturbed,
    groups: Groups,
    weighting: ClassWeighting = EQUAL,
) -> tuple[ClassPart, ...]:
    """One part per class, in their order.

    Args:
        classes: C names; a label is an index into them.
        images: with `IMAGES_SCHEMA`, sorted by key.
        perturbed: some of them.
        groups: of all images; each class has those of its own.
        weighting: of the classes; within a class all images weigh the same.
    """
    return tuple(
        _part(name, label, images, perturbed, groups=groups, weighting=weighting) for label, name in enumerate(classes)
    )


def _part(
    name: str, label: int, images: pa.Table, perturbed: Perturbed, *, groups: Groups, weighting: ClassWeighting
) -> ClassPart:
    chosen, scores = pc.field("label") == label, perturbed.scores[1 + label]
    of_images = groups.over(images["label"].to_numpy() == label)
    size, curve_size = of_images.size(), scores.groups.size()
    return ClassPart(
        class_name=name,
        images=size.images,
        groups=size.groups,
        curve_images=curve_size.images,
        curve_groups=curve_size.groups,
        metrics=tuple(mean_metrics(images.filter(chosen), of_images, weighting)) if size.images else (),
        heatmaps=heatmap_metrics(perturbed.heatmaps.filter(chosen), perturbed.methods, scores.groups),
        aopc_overall=aopc_overall(scores),
        comparisons=comparisons(perturbed.between_methods(scores)),
    )


@dataclass(frozen=True)
class OtherGateCurves:
    """The curves of the primary comparison under the other gate, and what was planned of them."""

    evaluation: Evaluation
    curves: pa.Table

    def comparison(self) -> OtherGate | None:
        """The primary comparison."""
        recipe = self.evaluation.recipe
        settings = recipe.evaluation
        scores = image_aopc(curve_sets(self.evaluation.plan, self.curves, settings.share_limit))
        place = primary_place(settings)
        differences = [one for one in differences_of_methods(scores) if one.place == place]
        outcomes = outcomes_of(differences, Resamples(scores.groups, settings.bootstrap, recipe.run.seed), place)
        found = comparisons([*outcomes.values()])
        return OtherGate(f=settings.f, comparison=found[0]) if found else None


def summarize(
    evaluation: Evaluation,
    images: pa.Table,
    heatmaps: pa.Table,
    curves: pa.Table,
    other: OtherGateCurves | None = None,
) -> Summary:
    """The summary of three tables (schemas of `distxml.evaluation.tables`), whatever the order of their rows.

    Args:
        evaluation: what was scored: recipe, dataset and plan.
        images: one row per image.
        heatmaps: one row per image and method.
        curves: one row per perturbation curve.
        other: of the primary comparison under the other gate, if it was made.

    Raises:
        ValueError: the heatmaps or curves are not those of the plan, each once per image.
    """
    settings, seed, plan = evaluation.recipe.evaluation, evaluation.recipe.run.seed, evaluation.plan
    metadata = evaluation.dataset.metadata
    images = images.sort_by("key")
    groups = Groups.of(images["group"].to_pylist())
    weighting = ClassWeighting(evaluation.recipe.phases.joint.alpha, evaluation.class_weights)
    resamples = Resamples(groups, settings.bootstrap, seed)
    classified = _classify(images, metadata.classes, resamples, weighting)
    sets = curve_sets(plan, curves, settings.share_limit)
    scores = image_aopc(sets)
    parts = [scores, *(scores.of_class(label) for label in range(len(metadata.classes)))]
    perturbed = Perturbed(heatmaps, _with_heatmaps(plan), parts, compare(parts, settings, seed))
    return Summary(
        made_by=f"distxml {__version__}",
        scored=evaluation.scored,
        dataset_path=str(evaluation.dataset.folder),
        dataset_name=metadata.name,
        dataset_sha256=evaluation.dataset.sha256,
        split=settings.split,
        images=images.num_rows,
        groups=groups.size().groups,
        annotated=images.num_rows - images["pompom"].null_count,
        curve_images=len(plan.curve_keys),
        curve_groups=scores.groups.size().groups,
        settings=settings,
        primary_is_of_recipe=evaluation.primary_is_of_recipe,
        left_out_patch_sizes=plan.left_out_patch_sizes,
        seed=seed,
        classes=metadata.classes,
        class_weights=evaluation.class_weights,
        metrics=classified.metrics,
        heatmaps=heatmap_metrics(heatmaps, perturbed.methods, scores.groups),
        aopc=aopc_table(sets.sets, scores.groups, settings.output),
        order_gaps=order_gaps(perturbed.between_orders(scores)),
        aopc_overall=aopc_overall(scores),
        comparisons=comparisons(perturbed.between_methods(scores)),
        primary_under_other_gate=other.comparison() if other else None,
        by_class=class_parts(metadata.classes, images, perturbed, groups, weighting),
        roc=classified.roc,
        precision_recall=classified.precision_recall,
        confusion=classified.confusion,
    )


def primary_place(settings: EvaluationSettings) -> Place:
    """Where the primary comparison stands among the differences."""
    primary = settings.primary
    return Place(primary.method, primary.other, settings.orders[0], primary.patch_size, primary.fill)


@dataclass(frozen=True)
class _Classified:
    """What the images' predictions give; fields of the summary."""

    metrics: tuple[Metric, ...]
    roc: tuple[ClassCurve, ...]
    precision_recall: tuple[ClassCurve, ...]
    confusion: tuple[tuple[int, ...], ...]


def _classify(
    images: pa.Table, classes: tuple[str, ...], resamples: Resamples, weighting: ClassWeighting
) -> _Classified:
    probabilities = _matrix(images["probabilities"], len(classes))
    label, predicted = (images[name].to_numpy().astype(np.int64) for name in ("label", "predicted"))
    roc = roc_curves(probabilities, label, classes)
    precision_recall = precision_recall_curves(probabilities, label, classes)
    areas = area_metrics(roc, precision_recall, probabilities, label, resamples)
    accuracy, *means = mean_metrics(images, resamples.groups, weighting)
    confusion = confusion_matrix(predicted, label, len(classes))
    return _Classified((accuracy, *areas, *means), roc, precision_recall, confusion)


def _matrix(lists: pa.ChunkedArray, columns: int) -> NDArray[np.float64]:
    """N lists of the same length as N×columns."""
    return lists.combine_chunks().flatten().to_numpy().reshape(-1, columns)


def _with_heatmaps(plan: ScoringPlan) -> tuple[Method, ...]:
    """Methods that have one row per image in the table of heatmaps."""
    return tuple(method for method in plan.methods if method != "random") if plan.curve_keys else ()
