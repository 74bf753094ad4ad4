"""`Recipe`: everything that one experiment needs to know, in one tree of settings."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from distxml.config.augmentation import AugmentationSettings
from distxml.config.base import Settings
from distxml.config.compute import ComputeSettings
from distxml.config.evaluation import EvaluationSettings, Gating
from distxml.config.guard import GuardSettings
from distxml.config.locations import is_uri, joined
from distxml.config.model import ModelSettings
from distxml.config.phases import PhaseName, PhaseSettings, PhasesSettings
from distxml.config.quick_scores import QuickScoresSettings
from distxml.config.training import LossSettings, OptimizerSettings
from distxml.config.warm_start import WarmStartSettings

EXPLAINER_STRIDE = 4
"""The explainer halves the image twice: its sides must be multiples of this."""


def _square(value: object) -> object:
    return (value, value) if isinstance(value, int) else value


class DatasetSettings(Settings):
    """Which Parquet dataset to train on."""

    path: str = Field(min_length=1)
    """Folder made by `distxml data build`: it holds `dataset.json`. Or a URI of such a folder: `s3://bucket/folder`,
    `gs://...`, or any other that pyarrow or fsspec can open."""
    cache: Path | None = None
    """Folder of each node for copies of the shards of a dataset at a URI, made when first read. Unset: none."""

    @field_validator("path", mode="before")
    @classmethod
    def _text(cls, path: object) -> object:
        return str(path) if isinstance(path, Path) else path


class LoaderSettings(Settings):
    """How images become batches."""

    backend: Literal["auto", "dali", "opencv"] = "auto"
    """Library that decodes and augments. `auto`: NVIDIA DALI where the worker has a GPU, else OpenCV."""
    image_size: Annotated[tuple[int, int], BeforeValidator(_square)] = (224, 224)
    """Height and width in pixels, multiples of 4; one number means a square."""
    batch_size: int = Field(default=8, ge=1)
    """Images per optimizer step, **over all workers**. More workers do not change the gradients, as long as the
    classifier has no BatchNorm or `model.sync_batchnorm` is set; otherwise each worker normalises its own part."""
    threads: int = Field(default=1, ge=1)
    """Threads per worker that decode and augment."""
    prefetch: int = Field(default=4, ge=1)
    """Batches per worker that are made ready ahead."""
    shuffle_buffer: int = Field(default=2048, ge=1)
    """Images among which the order of training is shuffled, over all workers; a split that is no larger is shuffled
    as a whole and stays in memory, encoded. A worker keeps at most its share of these, and three row groups for
    each of its images of a batch."""
    augmentation: AugmentationSettings = AugmentationSettings()
    """Random changes of the training images."""

    @field_validator("image_size")
    @classmethod
    def _multiple_of_stride(cls, size: tuple[int, int]) -> tuple[int, int]:
        if any(side < EXPLAINER_STRIDE or side % EXPLAINER_STRIDE for side in size):
            raise ValueError(f"sides must be positive multiples of {EXPLAINER_STRIDE}")
        return size


class RunSettings(Settings):
    """Where a run lives and what it is seeded with."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._ -]*$")
    """Folder of the run; the same name resumes where an interrupted run stopped."""
    folder: str = Field(default="runs", min_length=1)
    """Parent of the run's folder. On a cluster: a path that every node shares, or a URI (`s3://bucket/runs`, `gs://...`,
    `abfs://...`, `hdfs://...`, or any other that pyarrow or fsspec can write)."""
    seed: int = Field(default=0, ge=0)
    """Every source of randomness of training and evaluation derives from it."""
    checkpoint_steps: int | None = Field(default=None, ge=1)
    """Save a checkpoint every so many steps inside an epoch too. The same number of workers resumes from there with
    bitwise the same weights on CPUs."""
    checkpoint_minutes: float | None = Field(default=10, gt=0)
    """Save a checkpoint inside an epoch when the last one is older than this. Unset: never by the clock."""
    profile: int | None = Field(default=None, ge=1)
    """Steps at the beginning of each phase whose torch.profiler trace goes to TensorBoard; the first five of an epoch
    are not recorded. Unset: none."""
    gallery: int = Field(default=6, ge=0)
    """Validation images whose heatmaps TensorBoard shows each epoch."""

    @field_validator("folder", mode="before")
    @classmethod
    def _text(cls, folder: object) -> object:
        return str(folder) if isinstance(folder, Path) else folder


class ScalingSettings(Settings):
    """Workers of Ray Train and of the evaluator."""

    workers: int = Field(default=1, ge=1)
    """DDP ranks in training, actors in evaluation."""
    cpus_per_worker: int = Field(default=1, ge=1)
    """CPUs that each worker reserves; also its number of torch threads."""
    gpus_per_worker: float = Field(default=0, ge=0)
    """GPUs that each worker reserves; 0 trains on CPUs."""
    max_failures: int = Field(default=3, ge=0)
    """How often lost workers are replaced before the run gives up."""

    @field_validator("gpus_per_worker")
    @classmethod
    def _whole_or_shared(cls, gpus: float) -> float:
        if gpus > 1 and gpus != int(gpus):
            raise ValueError("more than one GPU per worker must be a whole number")
        return gpus


class Recipe(Settings):
    """One experiment: data, model, loss, three phases, evaluation, where and how it runs."""

    dataset: DatasetSettings
    """The dataset."""
    loader: LoaderSettings = LoaderSettings()
    """How images become batches."""
    model: ModelSettings = ModelSettings()
    """The explainer and the classifier."""
    loss: LossSettings = LossSettings()
    """The explanation loss and class weights."""
    optimizer: OptimizerSettings = OptimizerSettings()
    """Optimizer, learning-rate schedules, gradient clipping."""
    warm_start: WarmStartSettings | None = None
    """A checkpoint that the classifier phase starts from. Unset: fresh weights (or `model.pretrained`)."""
    phases: PhasesSettings = Field(default=PhasesSettings(), validate_default=True)
    """How each of the three phases trains, and when it ends."""
    guard: GuardSettings = GuardSettings()
    """What to do about a heatmap that goes black or stays white."""
    compute: ComputeSettings = ComputeSettings()
    """Precision, memory layout, compilation, determinism."""
    quick_scores: QuickScoresSettings = QuickScoresSettings()
    """Decision flips, AOPC and POMPOM of a few validation images, after each epoch of the joint phase."""
    evaluation: EvaluationSettings = EvaluationSettings()
    """What `distxml evaluate` measures."""
    run: RunSettings
    """Where the run lives."""
    scaling: ScalingSettings = ScalingSettings()
    """Workers and what they reserve."""

    @field_validator("phases")
    @classmethod
    def _say_where_the_heatmap_is_white(cls, phases: PhasesSettings, info: ValidationInfo) -> PhasesSettings:
        start: WarmStartSettings | None = info.data.get("warm_start")
        untrained = start is None or start.part == "classifier"
        decided: dict[str, PhaseSettings] = {}
        for name, phase in phases.items():
            if phase.white_heatmap is None:
                white = untrained and name == PhaseName.CLASSIFIER and phase.lr_explainer == 0
                decided[name] = phase.model_copy(update={"white_heatmap": white})
                decided[name].model_fields_set.discard("white_heatmap")  # nobody gave it, see `with_settings`
        return phases.model_copy(update=decided)

    @model_validator(mode="after")
    def _workers_fit_a_batch(self) -> "Recipe":
        if self.scaling.workers > self.loader.batch_size:
            raise ValueError(
                f"loader.batch_size ({self.loader.batch_size}) is shared by all workers: "
                f"it must be at least scaling.workers ({self.scaling.workers})"
            )
        return self

    @model_validator(mode="after")
    def _one_source_of_weights(self) -> "Recipe":
        start, pretrained = self.warm_start, self.model.pretrained
        if start is not None and start.part != "explainer" and pretrained is not None:
            raise ValueError(
                f"warm_start.part={start.part} replaces the classifier that model.pretrained={pretrained} gives: leave "
                "one of the two out, or take the explainer alone (warm_start.part=explainer)"
            )
        return self

    @model_validator(mode="after")
    def _schedules_go_down(self) -> "Recipe":
        for name, phase in self.phases.items():
            for field in ("lr_classifier", "lr_explainer"):
                rate = getattr(phase, field)
                if phase.schedule != "constant" and 0 < rate < self.optimizer.min_lr:
                    raise ValueError(
                        f"phases.{name}.{field} ({rate:g}) is below optimizer.min_lr ({self.optimizer.min_lr:g}), down "
                        f"to which schedule {phase.schedule} goes: lower optimizer.min_lr"
                    )
        return self

    @property
    def scored_gating(self) -> Gating:
        """What gates the classifier that an evaluation scores: what gated it while it was trained."""
        f = self.evaluation.f
        if f != "classifier_phase":
            return f
        return "white" if self.phases.classifier.white_heatmap else "recompute"

    @property
    def run_place(self) -> str:
        """Folder of this run: a path or a URI."""
        return joined(self.run.folder, self.run.name)

    @property
    def run_folder(self) -> Path:
        """Folder of this run, which is one of this machine."""
        assert not is_uri(self.run.folder), "a run in a store has no path"
        return Path(self.run_place)
