"""`summary.json`: everything that an evaluation says about the images together.

Intervals are of 95%, each by itself. Unless a field says otherwise they are Student's, corrected for skewness, over the
images, or over the groups (patients) that the dataset names; None where fewer than `MIN_GROUPS` stand behind them, or
where all values agree and say nothing of the spread.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, model_validator

from distxml.config.evaluation import EvaluationSettings, Fill, Gating, Method, Order, Scoring
from distxml.metrics.entry import Better
from distxml.metrics.lookup import BETTER_AOPC

HeatmapName = Literal["pompom", "pompom_all_pixels", "pompom_equal_area", "energy_inside", "pointing"]
"""A figure of heatmaps and masks: a column of `HEATMAPS_SCHEMA`."""
AREAS = ("roc_auc", "average_precision")
"""Metrics that are areas under curves."""
MIN_GROUPS = 6
"""Fewer independent groups (patients, or images where none has a group) have no interval (but Wilson's) and no verdict:
below, no procedure that was tried keeps what it promises (`benchmarks/coverage.py`)."""
LEVEL = 0.05
"""Share of errors of an interval or a test: intervals are of 95%."""
SAME = 1e-6
"""AOPC that differ by no more are equal: f of one x(k) differs by rounding with its place in a batch."""


Verdict = Literal["better", "worse", "unclear"]


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ScoredModel(_Record):
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


class Metric(_Record):
    """A number over the images, with its 95% interval: Wilson's for accuracy (widened where images have groups),
    percentiles of a bootstrap for the areas under curves, Student's corrected for skewness for the others."""

    name: str
    """accuracy, roc_auc, average_precision, a loss term, pompom, heat_mean, heat_ratio, ..."""
    value: float | None
    """None where it is not defined (no masks, a class without images)."""
    low: float | None
    """Lower end; None where it is unknown (few groups, values that all agree, areas under the curve of classes that are
    separated without an error)."""
    high: float | None
    """Upper end; None where it is unknown, or infinite (a ratio to heat that is nearly zero)."""
    images: int
    """Images that it is over."""
    groups: int | None
    """Groups that these images are of; None: no image of the dataset has a group, images are taken as independent."""


class HeatmapMetric(_Record):
    """How a method's heatmaps agree with the masks, over the perturbed images that have the value."""

    method: Method
    name: HeatmapName
    """Which figure."""
    value: float | None
    """Mean; None where no image has a value."""
    low: float | None
    high: float | None
    images: int
    """Images that it is over."""
    groups: int | None
    """Groups that these images are of; None as in `Metric`."""


class Aopc(_Record):
    """AOPC of one method, patch size, order and fill. MoRF: higher is better. LeRF: lower is better."""

    method: Method
    patch_size: int
    """Side in pixels."""
    order: Order
    """Most relevant first, or least relevant first; `random` has the first of the settings' orders."""
    fill: Fill
    steps: int
    """L: points of each curve, that of the unperturbed image not counted."""
    shares: tuple[float, ...]
    """L+1: how much of the image is replaced at each point, mean over the images."""
    aopc: float
    """Mean over the images. By the settings' range, of 1/S times the integral of f(x(0)) - f(x(s)) over the share s of
    the image that is replaced, up to S; or of 1/(L+1) times the sum over k of f(x(0)) - f(x(k)), patch by patch."""
    low: float | None
    high: float | None
    images: int
    """Images that it is over."""
    tie_share: float
    """Mean share of the patches whose score equals another patch's (their order is random); 1 for `random`."""
    by_steps: tuple[float, ...]
    """AOPC had it stopped at each of the L+1 points; the last is `aopc`."""
    by_steps_low: tuple[float | None, ...]
    """Lower end of each."""
    by_steps_high: tuple[float | None, ...]
    """Upper end of each."""
    auc: float | None
    """Area under f over the share of the image that is replaced (trapezoids): MoRF, the deletion AUC; LeRF, read
    from its end, the insertion AUC. None where not every patch was replaced. Source: Petsiuk et al., BMVC 2018."""
    auc_low: float | None
    auc_high: float | None


class OrderGap(_Record):
    """The area between a method's LeRF and MoRF curves: AOPC of MoRF minus AOPC of LeRF. Higher is better, a random
    order has 0."""

    method: Method
    patch_size: int
    """Side in pixels."""
    fill: Fill
    gap: float
    """Mean over the images."""
    low: float | None
    high: float | None
    p: float | None
    """p-value of "the gap is 0", adjusted as that of `Comparison`."""
    images: int
    """Images that it is over."""

    @property
    def verdict(self) -> Verdict:
        """Whether the gap is more than chance."""
        return verdict(self.p, self.low, self.high, self.gap, "higher")


class AopcOverall(_Record):
    """AOPC of one method over all patch sizes: of each image the mean over the settings, then over images."""

    method: Method
    order: Order
    fill: Fill | None
    """None: the mean over all fills too. Each fill asks a question of its own, and this mean asks none of them."""
    aopc: float
    """Mean over images and settings."""
    low: float | None
    high: float | None
    times_random: float | None
    """Mean AOPC of the method over that of the images' own random orders at the same settings: beside how
    steeply f falls whatever is replaced. None without `random`, for it, and where its AOPC is not clearly above 0."""
    times_random_low: float | None
    times_random_high: float | None
    images: int
    """Images that it is over."""
    settings: int
    """Patch sizes, or pairs of a patch size and a fill."""


class Comparison(_Record):
    """A method's AOPC minus another's, image by image: each against `random`, and the in-model heatmap against each."""

    method: Method
    other: Method
    order: Order
    patch_size: int | None
    """None: the mean over all patch sizes."""
    fill: Fill | None
    """None: the mean over all patch sizes and fills."""
    difference: float
    """Mean over the images. MoRF: above 0, `method` is better; LeRF: below 0."""
    low: float | None
    high: float | None
    """Of the 95% interval of this comparison by itself."""
    p: float | None
    """p-value of "the difference is 0", two-sided. The primary comparison: its own, the larger of those of the
    studentised bootstrap and of sign flips. All others: adjusted for their number (single-step max-T over all
    comparisons and gaps, those by class included). None where there are fewer than `MIN_GROUPS` groups, or where the
    differences are too equal to be tested."""
    primary: bool
    """Whether it is the primary comparison, which the settings named beforehand."""
    wins: float
    """Share of the images on which `method` is the better one; where both are equal (see `SAME`) it counts as half."""
    images: int
    """Images that it is over."""

    @property
    def verdict(self) -> Verdict:
        """Whether the difference is more than chance."""
        return verdict(self.p, self.low, self.high, self.difference, BETTER_AOPC[self.order])


def verdict(p: float | None, low: float | None, high: float | None, difference: float, better: Better) -> Verdict:
    """By the p-value; never against the difference's own interval, and never for what rounding may have made."""
    if p is None or p >= LEVEL or abs(difference) <= SAME:
        return "unclear"
    if low is None or high is None or low <= 0 <= high:
        return "unclear"
    return "better" if (difference > 0) == (better == "higher") else "worse"


class OtherGate(_Record):
    """The primary comparison under the other gate, on the same images."""

    f: Scoring
    """`fixed` where `recompute` was scored, and the other way round."""
    comparison: Comparison
    """With an interval and a p-value of its own, not adjusted for there being two: it backs the primary comparison or
    casts doubt on it, and is no finding alone."""


class ClassCurve(_Record):
    """ROC or precision-recall of one class against the rest."""

    class_name: str
    x: tuple[float, ...]
    """False-positive rate, or recall."""
    y: tuple[float, ...]
    """True-positive rate, or precision."""
    area: float
    """Area under the ROC curve, or average precision."""

    @model_validator(mode="after")
    def _is_whole(self) -> "ClassCurve":
        if len(self.x) != len(self.y):
            raise ValueError(f"the curve of {self.class_name} has {len(self.x)} x, but {len(self.y)} y")
        return self


class ClassPart(_Record):
    """The same figures over the images of one true class alone."""

    class_name: str
    images: int
    """Images of the split."""
    groups: int | None
    """Groups that they are of; None as in `Metric`."""
    curve_images: int
    """Those that were perturbed."""
    curve_groups: int | None
    """Groups that these are of."""
    metrics: tuple[Metric, ...]
    """As in the summary (accuracy is the class's recall), without areas under curves; empty without images."""
    heatmaps: tuple[HeatmapMetric, ...]
    """As in the summary; empty without perturbed images, as are the next two."""
    aopc_overall: tuple[AopcOverall, ...]
    comparisons: tuple[Comparison, ...]
    """Those over all patch sizes and fills."""


class Summary(_Record):
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
