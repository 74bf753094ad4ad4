"""Settings of the evaluator."""

import math
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from distxml.config.base import Settings
from distxml.registry import NameIn

Method = Annotated[str, NameIn("distxml.attribution.methods:METHODS")]
Fill = Annotated[str, NameIn("distxml.evaluation.perturbation.fills:FILLS")]
Order = Literal["morf", "lerf"]
Scoring = Literal["recompute", "fixed", "classifier_phase"]
Gating = Literal["recompute", "fixed", "white"]
"""What gates the classifier of a scored function: the heatmap of its own checkpoint's explainer, made anew for each
image (`recompute`) or kept from the unperturbed image (`fixed`), or ones (`white`)."""
Output = Literal["probability", "logit"]
Range = Literal["share", "patches"]


class PrimaryComparison(Settings):
    """The one comparison that a claim rests on, named before anything is seen."""

    method: Method = "in_model"
    """The method that is claimed to be better."""
    other: Method = "random"
    """The method that it is held against: `random`, or any where `method` is `in_model`."""
    fill: Fill | None = None
    """With this fill, one of `fills`; unset: the mean over all fills, which asks several questions at once."""
    patch_size: int | None = Field(default=None, ge=1)
    """At this patch size (needs `fill`), one of `patch_sizes`; unset: the mean over all patch sizes."""
    under_other_gate: bool = True
    """Make it a second time where f is `recompute` or `fixed`: under the other of the two, and say both. Replaced
    patches change the heatmap that gates the classifier too, and only `fixed` leaves that out."""

    def in_words(self, pixels: str = "pixels") -> str:
        """Where it is made: `over all patch sizes and fills`, `gray, over all patch sizes`, `gray, patches of 8 px`."""
        if self.fill is None:
            return "over all patch sizes and fills"
        return f"{self.fill}, " + (
            "over all patch sizes" if self.patch_size is None else f"patches of {self.patch_size} {pixels}"
        )

    @model_validator(mode="after")
    def _is_one_that_is_made(self) -> "PrimaryComparison":
        if self.method == self.other or (self.other != "random" and self.method != "in_model"):
            raise ValueError("must be a method against random, or in_model against another")
        if self.patch_size is not None and self.fill is None:
            raise ValueError("patch_size needs fill")
        return self


class EvaluationSettings(Settings):
    """What `distxml evaluate` measures on the test split."""

    split: Literal["train", "val", "test"] = "test"
    """Split that is scored."""
    checkpoint: Literal["last", "best_loss", "best_accuracy"] = "last"
    """Which checkpoint is scored: of the joint phase, or of the classifier phase where `f` is
    `classifier_phase`."""
    f: Scoring = "recompute"
    """The function of the image that is perturbed and explained. `recompute`: the joint model, which makes its heatmap
    anew for each perturbed image; `fixed`: the joint model with the heatmap of the unperturbed image;
    `classifier_phase`: the classifier as its own phase left it, under the heatmap that it was trained under:
    ones (`phases.classifier.white_heatmap`), which makes it the plain-CNN baseline, or that of the explainer of that
    phase, made anew for each perturbed image."""
    output: Output = "probability"
    """What is followed along a curve: the softmax probability of the target, or its logit."""
    target: str = Field(default="predicted", min_length=1)
    """Class that is explained and followed: `predicted` (for the unperturbed image), `label` (the true one), or the
    name of a class (one that is called predicted or label cannot be given)."""
    methods: tuple[Method, ...] = ("in_model", "saliency", "grad_cam", "lrp", "random")
    """Heatmaps that are compared: the explainer's (`in_model`), post-hoc methods, and controls (`canny`, `otsu`,
    `center_distance` know the image at most; `random` is a random order of patches)."""
    integration_steps: int = Field(default=32, ge=2)
    """Steps of integrated gradients, from a black image."""
    smoothgrad_samples: int = Field(default=50, ge=1)
    """Noisy copies of the image whose gradients SmoothGrad averages."""
    smoothgrad_noise: float = Field(default=0.15, gt=0, le=1)
    """Standard deviation of that noise, as a share of the image's range (its largest pixel minus its smallest)."""
    grad_cam_layer: str = Field(default="last", min_length=1)
    """The gate whose output Grad-CAM and guided Grad-CAM look at: `last`, or its place in the classifier: `stage1` to
    `stage4` (VGG), `stem`, `block1` to `block4` (small ResNet), `maxpool`, `layer1` ... or `layer1.0` ... (ResNets with
    gates after each stage, or each block)."""
    occlusion_window: float = Field(default=0.125, gt=0, le=1)
    """Side of the gray square that occlusion moves over the image, as a share of the image's shorter side."""
    occlusion_stride: float = Field(default=0.5, gt=0, le=1)
    """How far it moves, as a share of its own side."""
    rise_masks: int = Field(default=1000, ge=1)
    """Random masks of RISE for each image: that many forward passes (the source has 4,000 and 8,000)."""
    orders: tuple[Order, ...] = ("morf",)
    """Most relevant patches first (MoRF), least relevant first (LeRF). A random order has no direction: `random` gets
    one curve for both."""
    patch_sizes: tuple[Annotated[int, Field(ge=1)], ...] = (4, 8, 16, 32)
    """Sides in pixels of the square patches that are replaced; those that leave an image fewer than `min_patches` are
    left out."""
    min_patches: int = Field(default=16, ge=1)
    """Fewest patches of an image: an order of a handful says little, and its area is mostly that of one or two."""
    fills: tuple[Fill, ...] = ("black", "white", "gray", "uniform", "blur")
    """What replaces a patch: 0, 1, 0.5, one random RGB value per pixel, the Gaussian-blurred image."""
    blur_sigma: float = Field(default=0.05, gt=0, le=1)
    """Standard deviation of the blur, as a share of the image's shorter side."""
    range: Range = "share"
    """What a curve runs over. `share`: the share of the image that is replaced, from 0 to `max_share`, the same for
    every patch size; AOPC is then the mean height of the area over the curve, where a patch counts as much as it
    covers, and is comparable between patch sizes as far as one patch is a small part of `max_share`. `patches`: one
    patch after the other up to `steps`, however little of the image that is; AOPC is then the paper's, a mean over the
    steps."""
    max_share: float = Field(default=1, gt=0, le=1)
    """Share of the image that is replaced in the end, where the range is `share`."""
    steps: int | Literal["all"] = 100
    """Points of a curve at most, the unperturbed image not counted; fewer where there are fewer patches. `all`: one
    for each patch. Areas under whole curves (deletion, insertion) need every patch to be replaced in the end."""
    curve_images: int | None = Field(default=None, ge=1)
    """Perturb only this many images, a draw that is the same for every run; unset: all. Accuracy and the in-model
    POMPOM always use all."""
    batch_size: int = Field(default=64, ge=1)
    """Images per forward pass; fewer on a CPU where images are large. It bounds memory, and no result depends on it."""
    bootstrap: int = Field(default=1000, ge=100)
    """Resamples of the tests, and of the intervals of areas under ROC and precision-recall curves."""
    primary: PrimaryComparison = PrimaryComparison()
    """The primary comparison: tested by itself, with the first of the orders; all others are adjusted for their
    number. Without both of its methods, there is none."""

    @property
    def occlusion_places(self) -> int:
        """Places of occlusion's window in a square image, up to the rounding to whole pixels."""
        moves = (1 - self.occlusion_window) / (self.occlusion_window * self.occlusion_stride)
        return (1 + math.ceil(round(moves, 6))) ** 2

    @field_validator("steps", mode="plain")
    @classmethod
    def _some_or_all(cls, value: object) -> int | Literal["all"]:
        if value == "all":
            return "all"
        if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
            return value
        raise ValueError("must be a whole number from 1 on, or all")

    @model_validator(mode="after")
    def _primary_is_measured(self) -> "EvaluationSettings":
        for name, values in (("patch_size", self.patch_sizes), ("fill", self.fills)):
            value = getattr(self.primary, name)
            if value is not None and value not in values:
                raise ValueError(f"primary.{name}={value} is not among {name}s ({', '.join(map(str, values))})")
        return self

    @property
    def share_limit(self) -> float | None:
        """Share of the image that curves run to; None: they run over patches."""
        return self.max_share if self.range == "share" else None

    @field_validator("methods", "patch_sizes", "fills", "orders")
    @classmethod
    def _each_once(cls, values: tuple[object, ...]) -> tuple[object, ...]:
        twice = sorted({str(value) for value in values if values.count(value) > 1})
        if twice:
            raise ValueError(f"{', '.join(twice)} is listed more than once")
        return values
