"""`summary.json`: everything that an evaluation says about the images together."""

from typing import Literal

from pydantic import model_validator

from distxml.config.evaluation import EvaluationSettings, Fill, Gating, Method, Order
from distxml.evaluation.summary_rows import (
    Aopc,
    AopcOverall,
    ClassCurve,
    ClassPart,
    Comparison,
    HeatmapMetric,
    Metric,
    OrderGap,
    OtherGate,
    Record,
)


class ScoredModel(Record):
    """Which model the numbers belong to; AOPC of different models cannot be compared."""

    checkpoint: str
    """Folder of the scored checkpoint, relative to the run's."""
    sha256: str
    """Checksum of its weights."""
    explainer_checkpoint: str
    """Folder of the checkpoint whose explainer made the in-model heatmaps: the same, unless `f` is
    `classifier_phase`."""
    explainer_sha256: str
    """Checksum of its weights."""
    gating: Gating
    """What gated its classifier, in training and in this evaluation: with the settings' `f` `classifier_phase` it
    depends on `phases.classifier.white_heatmap`."""
    classifier: str
    """Architecture of the classifier."""
    image_size: tuple[int, int]
    """Height and width in pixels that the images were scored at."""
    training_finished: bool
    """Whether the joint phase was complete."""


class Summary(Record):
    """`summary.json`; written last, so a folder that holds it is complete."""

    format: Literal["distxml-evaluation"] = "distxml-evaluation"
    """Marks the file."""
    version: Literal[5] = 5
    """Version of the layout."""
    made_by: str
    """distxml and its version."""
    scored: ScoredModel
    """The model."""
    dataset_path: str
    """Folder of the dataset."""
    dataset_name: str
    """Its name."""
    dataset_sha256: str
    """Checksum of its `dataset.json`, which holds those of the shards."""
    split: Literal["train", "val", "test"]
    """Split that was scored."""
    images: int
    """Images of the split."""
    groups: int | None
    """Groups (patients) that they are of; None: no image of the split has a group, images are taken as independent."""
    annotated: int
    """Those with a mask (an empty one counts)."""
    curve_images: int
    """Images that were perturbed."""
    curve_groups: int | None
    """Groups that these are of."""
    settings: EvaluationSettings
    """What was asked for."""
    primary_is_of_recipe: bool
    """Whether the primary comparison is the one that the run's recipe names: the same two methods, and all that it is
    measured by (dataset, split, f, target, output, orders, fills, patch sizes, steps, images)."""
    left_out_patch_sizes: tuple[int, ...]
    """Patch sizes of the settings that leave an image fewer than `settings.min_patches`."""
    seed: int
    """Seed of the run."""
    classes: tuple[str, ...]
    """Names of the classes; a label is an index into them."""
    class_weights: tuple[float, ...] | None
    """Weights of the classes in the mean classification loss and in the total, those of training; None: all the same.
    Rows of `images.parquet` hold each image's losses without them."""
    metrics: tuple[Metric, ...]
    heatmaps: tuple[HeatmapMetric, ...]
    """In the order of the methods; none for `random`."""
    aopc: tuple[Aopc, ...]
    """In the order of the settings: methods, patch sizes, orders, fills."""
    order_gaps: tuple[OrderGap, ...]
    """Empty unless both orders were asked for; none for `random`."""
    aopc_overall: tuple[AopcOverall, ...]
    """At every fill, then over all of them, by method and order, in the order of the settings; empty
    where nothing was perturbed."""
    comparisons: tuple[Comparison, ...]
    """Every other method with `random`, then `in_model` with every other one; of each pair all settings, then those
    over all patch sizes at one fill, then the one over all of them, by order. Empty where neither was asked for."""
    primary_under_other_gate: OtherGate | None
    """None where f is `classifier_phase`, there is no primary comparison, or it was not asked for."""
    by_class: tuple[ClassPart, ...]
    """In the order of the classes."""
    roc: tuple[ClassCurve, ...]
    """Two classes: that of class 1. More: each against the rest. Classes without images or without others are left
    out."""
    precision_recall: tuple[ClassCurve, ...]
    """The same classes."""
    confusion: tuple[tuple[int, ...], ...]
    """Row: true class; column: predicted class."""

    @model_validator(mode="after")
    def _is_whole(self) -> "Summary":
        classes = len(self.classes)
        if [len(row) for row in self.confusion] != [classes] * classes:
            raise ValueError(f"confusion is not a table of {classes} by {classes} classes")
        if sum(sum(row) for row in self.confusion) != self.images:
            raise ValueError(f"confusion does not count {self.images} images")
        by_steps = [(row, (row.shares, row.by_steps, row.by_steps_low, row.by_steps_high)) for row in self.aopc]
        if any({row.steps + 1} != {*map(len, values)} or row.images != self.curve_images for row, values in by_steps):
            raise ValueError(f"an AOPC is not over {self.curve_images} images and all of its steps")
        if [part.class_name for part in self.by_class] != list(self.classes):
            raise ValueError(f"by_class is not of the {classes} classes")
        return self

    def metric(self, name: str) -> Metric:
        """The metric of that name; KeyError where there is none."""
        found = {metric.name: metric for metric in self.metrics}
        return found[name]

    @property
    def primary(self) -> Comparison | None:
        """The primary comparison; None where one of its methods, or its patch size or fill, was not asked for."""
        return next((row for row in self.comparisons if row.primary), None)

    def overall(self, order: Order, fill: Fill | None = None) -> list[AopcOverall]:
        """AOPC over all patch sizes with an order and a fill (None: over all fills too); `random` is in both orders."""
        return [row for row in self.aopc_overall if row.fill == fill and (row.order == order or row.method == "random")]

    def comparison(
        self, method: Method, other: Method, order: Order, patch_size: int | None = None, fill: Fill | None = None
    ) -> Comparison | None:
        """The comparison of two methods at a setting, or over all of them; None where it was not made.

        Args:
            method, other: the pair as it was compared, `method` minus `other`.
            order: which patches are replaced first.
            patch_size: side in pixels; None: the mean over all patch sizes.
            fill: what patches were replaced with; None: the mean over all patch sizes and fills.
        """
        place = (method, other, order, patch_size, fill)
        for row in self.comparisons:
            if (row.method, row.other, row.order, row.patch_size, row.fill) == place:
                return row
        return None
