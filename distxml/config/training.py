"""Settings of the loss and the optimizer."""

from typing import Literal

from pydantic import Field, field_validator

from distxml.config.base import Settings


class LossSettings(Settings):
    """L = alpha * L_class + (1 - alpha) * L_expl; alpha belongs to the phase."""

    kind: Literal["unsupervised", "hybrid"] = "unsupervised"
    """`unsupervised`: sparsity and contiguity. `hybrid`: plus gamma times the mean heat outside the masks, over all
    images; an image without a mask adds nothing."""
    beta: float = Field(default=0.9, ge=0, le=1)
    """Weight of sparsity; contiguity weighs 1 - beta."""
    gamma: float = Field(default=1.0, ge=0)
    """Weight of the mask term in the hybrid loss. Every term is a mean over all images of a batch: where only some
    are annotated, the mean heat outside their masks (the metric `weak`) weighs gamma times their share (the metric
    `annotated`). With half as many annotations, twice the gamma gives the term the same weight."""
    class_weights: Literal["balanced"] | tuple[float, ...] | None = None
    """Weights of the classes in the cross-entropy, in training, validation and evaluation: none, `balanced` (from the
    training split) or a list."""

    @field_validator("class_weights")
    @classmethod
    def _positive(cls, weights: str | tuple[float, ...] | None) -> str | tuple[float, ...] | None:
        if isinstance(weights, tuple) and any(weight <= 0 for weight in weights):
            raise ValueError("class weights must be above 0")
        return weights


class OptimizerSettings(Settings):
    """One optimizer over both networks, made anew for each phase."""

    name: Literal["sgd", "adamw", "adadelta"] = "sgd"
    """torch.optim's SGD, AdamW or Adadelta."""
    momentum: float = Field(default=0.9, ge=0, lt=1)
    """Momentum of SGD; the others ignore it."""
    weight_decay: float = Field(default=1e-4, ge=0)
    """Weight decay, of both networks."""
    clip_norm: float | None = Field(default=1.0, gt=0)
    """Largest norm of the gradient of all parameters together; null: no clipping."""
    plateau_patience: int = Field(default=10, ge=0)
    """Epochs without a better validation loss before `plateau` lowers the learning rates."""
    plateau_factor: float = Field(default=0.2, gt=0, lt=1)
    """What `plateau` multiplies the learning rates by."""
    min_lr: float = Field(default=1e-5, ge=0)
    """Learning rate that no schedule goes below."""
