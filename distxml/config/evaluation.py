"""Settings of the evaluator."""

from typing import Annotated, Literal

from pydantic import Field, field_validator

from distxml.config.base import Settings

Fill = Literal["black", "white", "gray", "uniform", "blur"]
Method = Literal["in_model", "random", "saliency"]


class EvaluationSettings(Settings):
    """What `distxml evaluate` measures on the test split."""

    split: Literal["train", "val", "test"] = "test"
    """Split that is scored."""
    checkpoint: Literal["last", "best_loss", "best_accuracy"] = "last"
    """Which of phase 3's checkpoints is scored."""
    methods: tuple[Method, ...] = ("in_model", "random", "saliency")
    """Heatmaps that are compared: the explainer's, a random order of patches (the control), gradient saliency."""
    patch_sizes: tuple[Annotated[int, Field(ge=1)], ...] = (4, 8, 16, 32)
    """Sides in pixels of the square patches that are replaced; those larger than the image are left out."""
    fills: tuple[Fill, ...] = ("black", "white", "gray", "uniform", "blur")
    """What replaces a patch: 0, 1, 0.5, one random RGB value a pixel, the Gaussian-blurred image."""
    blur_sigma: float = Field(default=0.05, gt=0, le=1)
    """Standard deviation of the blur, as a share of the image's shorter side."""
    steps: int = Field(default=100, ge=1)
    """Most patches that are replaced; fewer where the image has fewer."""
    heatmap_under_perturbation: Literal["recompute", "fixed"] = "recompute"
    """Whether the scored joint model makes its heatmap anew for each perturbed image, or keeps that of x(0); saliency
    is the gradient of the model as it is scored."""
    target: Literal["predicted", "label"] = "predicted"
    """Class whose probability is followed: the one predicted for the unperturbed image, or the true one."""
    curve_images: int | None = Field(default=None, ge=1)
    """Perturb only this many images (a seeded draw); unset: all. Accuracy and POMPOM always use all."""
    batch_size: int = Field(default=64, ge=1)
    """Images a forward pass; no result depends on it."""
    bootstrap: int = Field(default=1000, ge=100)
    """Resamples of the 95% bootstrap intervals."""

    @field_validator("methods", "patch_sizes", "fills")
    @classmethod
    def _each_once(cls, values: tuple[object, ...]) -> tuple[object, ...]:
        twice = sorted({str(value) for value in values if values.count(value) > 1})
        if twice:
            raise ValueError(f"{', '.join(twice)} is listed more than once")
        return values
