"""The rows of `summary.json`: a metric, an AOPC, a comparison, a curve, the part of a class.

Intervals are of 95%, each by itself. Unless a field says otherwise they are Student's, corrected for skewness, over the
images, or over the groups (patients) that the dataset names; None where fewer than `MIN_GROUPS` stand behind them, or
where all values agree and say nothing of the spread.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, model_validator

from distxml.config.evaluation import Fill, Method, Order, Scoring
from distxml.evaluation.verdict import Verdict, verdict
from distxml.metrics.lookup import BETTER_AOPC

HeatmapName = Literal["pompom", "pompom_all_pixels", "pompom_equal_area", "energy_inside", "pointing"]
"""A figure of heatmaps and masks: a column of `HEATMAPS_SCHEMA`."""
AREAS = ("roc_auc", "average_precision")
"""Metrics that are areas under curves."""


class Record(BaseModel):
    """Takes no other fields, and does not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Metric(Record):
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


class HeatmapMetric(Record):
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


class Aopc(Record):
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


class OrderGap(Record):
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


class AopcOverall(Record):
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


class Comparison(Record):
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


class OtherGate(Record):
    """The primary comparison under the other gate, on the same images."""

    f: Scoring
    """`fixed` where `recompute` was scored, and the other way round."""
    comparison: Comparison
    """With an interval and a p-value of its own, not adjusted for there being two: it backs the primary comparison or
    casts doubt on it, and is no finding alone."""


class ClassCurve(Record):
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


class ClassPart(Record):
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
