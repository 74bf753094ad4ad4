"""What an evaluation leaves behind, and how it is read back: `summary.json`, `images.parquet`, `curves.parquet`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, model_validator

from distxml.config.evaluation import EvaluationSettings, Fill, Method
from distxml.config.load import validate_json_file
from distxml.errors import UserError
from distxml.evaluation.agreement import Stated, contradiction

SUMMARY_NAME = "summary.json"
TABLE_NAME = "summary.csv"
IMAGES_NAME = "images.parquet"
CURVES_NAME = "curves.parquet"

IMAGES_SCHEMA = pa.schema(
    [
        pa.field("key", pa.string(), nullable=False),
        pa.field("label", pa.int32(), nullable=False),
        pa.field("predicted", pa.int32(), nullable=False),
        pa.field("probabilities", pa.list_(pa.float64()), nullable=False),  # one a class
        pa.field("classification", pa.float64(), nullable=False),
        pa.field("sparsity", pa.float64(), nullable=False),
        pa.field("contiguity", pa.float64(), nullable=False),
        pa.field("weak", pa.float64()),  # null: not annotated
        pa.field("explanation", pa.float64(), nullable=False),
        pa.field("total", pa.float64(), nullable=False),
        pa.field("pompom", pa.float64()),  # null: not annotated
        pa.field("pompom_all_pixels", pa.float64()),  # null: not annotated
        pa.field("heat_mean", pa.float64(), nullable=False),
        pa.field("heat_inside", pa.float64()),  # null: not annotated, or the mask is empty or covers everything
        pa.field("heat_outside", pa.float64()),  # null: the same
    ]
)
"""One row an image, sorted by key."""

CURVES_SCHEMA = pa.schema(
    [
        pa.field("key", pa.string(), nullable=False),
        pa.field("label", pa.int32(), nullable=False),
        pa.field("target", pa.int32(), nullable=False),  # class whose probability f is
        pa.field("method", pa.string(), nullable=False),
        pa.field("patch_size", pa.int32(), nullable=False),
        pa.field("fill", pa.string(), nullable=False),
        pa.field("steps", pa.int32(), nullable=False),  # L
        pa.field("f", pa.list_(pa.float64()), nullable=False),  # f(x(0)) ... f(x(L))
        pa.field("aopc", pa.float64(), nullable=False),
        pa.field("tie_share", pa.float64(), nullable=False),
    ]
)
"""One row an image, method, patch size and fill; sorted by key, then in the order of the settings."""


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Scored(_Record):
    """Which model the numbers belong to; AOPC of different models cannot be compared."""

    checkpoint: str
    """Folder of the checkpoint, relative to the run's."""
    sha256: str
    """Checksum of its weights."""
    classifier: str
    """Architecture of the classifier."""
    image_size: tuple[int, int]
    """Height and width in pixels that the images were scored at."""
    training_finished: bool
    """Whether the third phase was complete."""


class Metric(_Record):
    """A number over the images, with its 95% interval: Wilson's for accuracy, a bootstrap for the others."""

    name: str
    """accuracy, roc_auc, average_precision, a loss term, pompom, heat_mean, heat_ratio, ..."""
    value: float | None
    """None where it is not defined (no masks, a class without images)."""
    low: float | None
    """Lower end; None where it is unknown (areas under the curve of classes that are separated without an error)."""
    high: float | None
    """Upper end; None where it is unknown, or infinite (a ratio to heat that is zero in many resamples)."""
    images: int
    """Images that it is over."""


class Aopc(_Record):
    """AOPC of one method, patch size and fill. Higher: the method finds what the model relies on."""

    method: Method
    patch_size: int
    """Side in pixels."""
    fill: Fill
    steps: int
    """L: most patches that were replaced."""
    aopc: float
    """Mean over the images of 1/(L+1) times the sum over k of f(x(0)) - f(x(k))."""
    low: float
    """2.5th percentile of the bootstrap over images."""
    high: float
    """97.5th percentile."""
    images: int
    """Images that it is over."""
    tie_share: float
    """Mean share of the patches whose score equals another patch's (their order is random); 1 for `random`."""
    by_steps: tuple[float, ...]
    """AOPC had it stopped after 0, 1, ... L steps; the last is `aopc`."""


class AopcOverall(_Record):
    """AOPC of one method over all patch sizes and fills: of each image the mean over the settings, then over images."""

    method: Method
    aopc: float
    """Mean over images and settings."""
    low: float
    """2.5th percentile of the bootstrap over images."""
    high: float
    """97.5th percentile."""
    images: int
    """Images that it is over."""
    settings: int
    """Pairs of a patch size and a fill."""


class AopcDifference(_Record):
    """A method's AOPC minus the random order's, image by image."""

    method: Method
    patch_size: int
    fill: Fill
    difference: float
    """Above 0: better than a random order."""
    low: float
    """2.5th percentile of the bootstrap over the paired differences."""
    high: float
    """97.5th percentile."""
    images: int
    """Images that it is over."""


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


class Summary(_Record):
    """`summary.json`; written last, so a folder that holds it is complete."""

    format: Literal["distxml-evaluation"] = "distxml-evaluation"
    """Marks the file."""
    version: Literal[1] = 1
    """Version of the layout."""
    made_by: str
    """distxml and its version."""
    scored: Scored
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
    annotated: int
    """Those with a mask (an empty one counts)."""
    curve_images: int
    """Images that were perturbed."""
    settings: EvaluationSettings
    """What was asked for."""
    left_out_patch_sizes: tuple[int, ...]
    """Patch sizes of the settings that are larger than the image."""
    seed: int
    """Seed of the run."""
    classes: tuple[str, ...]
    """Names of the classes; a label is an index into them."""
    metrics: tuple[Metric, ...]
    aopc: tuple[Aopc, ...]
    """In the order of the settings: methods, patch sizes, fills."""
    aopc_overall: tuple[AopcOverall, ...]
    """One a method, in the order of the settings; empty where nothing was perturbed."""
    versus_random: tuple[AopcDifference, ...]
    """Empty where `random` was not among the methods."""
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
        if any(len(row.by_steps) != row.steps + 1 or row.images != self.curve_images for row in self.aopc):
            raise ValueError(f"an AOPC is not over {self.curve_images} images and all of its steps")
        return self

    def metric(self, name: str) -> Metric:
        """The metric of that name; KeyError where there is none."""
        found = {metric.name: metric for metric in self.metrics}
        return found[name]


@dataclass(frozen=True)
class Results:
    """An evaluation, read back; `images` has `IMAGES_SCHEMA`, `curves` has `CURVES_SCHEMA`."""

    summary: Summary
    images: pa.Table
    curves: pa.Table


def load_summary(folder: Path) -> Summary:
    """`summary.json` of an evaluation folder.

    Raises:
        UserError: there is none, or it is not one.
    """
    if not (folder / SUMMARY_NAME).is_file():
        raise UserError(f"evaluation {folder}: no {SUMMARY_NAME}; make it with `distxml evaluate RUN`")
    return validate_json_file(Summary, folder / SUMMARY_NAME, "run `distxml evaluate RUN` again")


def load_results(folder: Path) -> Results:
    """Everything in an evaluation folder (`RunFolder.evaluation`).

    Raises:
        UserError: a file is missing or damaged, or they do not belong together.
    """
    summary = load_summary(folder)
    images, curves = _read(folder / IMAGES_NAME, IMAGES_SCHEMA), _read(folder / CURVES_NAME, CURVES_SCHEMA)
    reason = contradiction(_stated(summary), images, curves)
    if reason is not None:
        raise UserError(
            f"{folder}: not a whole evaluation of this version ({reason}); run `distxml evaluate RUN` again"
        )
    return Results(summary, images, curves)


def _stated(summary: Summary) -> Stated:
    return Stated(
        images=summary.images,
        annotated=summary.annotated,
        classes=len(summary.classes),
        curve_images=summary.curve_images,
        curve_sets=frozenset((row.method, row.patch_size, row.fill, row.steps) for row in summary.aopc),
    )


def _read(path: Path, schema: pa.Schema) -> pa.Table:
    try:
        return pq.read_table(path).cast(schema)
    except (OSError, ValueError, pa.ArrowException) as error:
        reason = str(error).split("\n")[0]
        raise UserError(f"{path}: cannot be read ({reason}); run `distxml evaluate RUN` again") from None
