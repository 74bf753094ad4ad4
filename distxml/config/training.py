"""Settings of the loss, the optimizer and the three phases."""

from typing import Literal

from pydantic import Field, field_validator, model_validator

from distxml.config.base import Settings


class LossSettings(Settings):
    """L = alpha * L_class + (1 - alpha) * L_expl; alpha belongs to the phase."""

    kind: Literal["unsupervised", "hybrid"] = "unsupervised"
    """`unsupervised`: sparsity and contiguity. `hybrid`: plus gamma times the share of heat outside the mask."""
    beta: float = Field(default=0.9, ge=0, le=1)
    """Weight of sparsity; contiguity weighs 1 - beta."""
    gamma: float = Field(default=1.0, ge=0)
    """Weight of the mask term in the hybrid loss."""
    class_weights: Literal["balanced"] | tuple[float, ...] | None = None
    """Weights of the classes in the cross-entropy: none, `balanced` (from the training split) or a list."""

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


class PhaseSettings(Settings):
    """One of the three phases. A learning rate of 0 freezes that network (eval mode, no gradients)."""

    epochs: int | None = Field(default=None, ge=1)
    """Most epochs of this phase. Unset: it ends on `until` or `patience` alone."""
    alpha: float = Field(ge=0, le=1)
    """Weight of the classification loss; 1 - alpha weighs the explanation loss."""
    lr_classifier: float = Field(ge=0)
    """Learning rate of the classifier; 0 freezes it."""
    lr_explainer: float = Field(ge=0)
    """Learning rate of the explainer; 0 freezes it."""
    until: float | None = Field(default=None, gt=0, lt=1)
    """End the phase once its own loss is at most this share of the validation loss before its first step: in the
    running mean over the last 10 or so steps (looked at inside the epoch too) or in validation. Its own: the
    classification loss where the explainer is frozen, the explanation loss where the classifier is frozen, else the
    total."""
    patience: int | None = Field(default=None, ge=1)
    """Early stopping: epochs without a validation loss lower by at least `min_delta`. Unset: never."""
    min_delta: float = Field(default=1e-4, ge=0)
    """Smallest improvement that early stopping counts."""
    schedule: Literal["constant", "plateau", "cosine"] = "constant"
    """Learning rates over the phase: constant, ReduceLROnPlateau, or a half cosine down to `optimizer.min_lr`."""
    start_from: Literal["last", "best_loss"] = "last"
    """Weights that the phase starts from: the previous phase's last ones (the reference code) or its best."""
    white_heatmap: bool | None = None
    """Use a heatmap of ones instead of the explainer's, which is then not computed. Unset: in the first phase, where
    its explainer is frozen and does not come from a checkpoint (`warm_start`). The run's `config.json` says which."""

    @model_validator(mode="after")
    def _something_learns(self) -> "PhaseSettings":
        if self.lr_classifier == 0 and self.lr_explainer == 0:
            raise ValueError("lr_classifier and lr_explainer are both 0: nothing would learn in this phase")
        if self.lr_explainer == 0 and self.alpha == 0:
            raise ValueError("alpha 0 leaves out the classification loss, but only the classifier learns in this phase")
        if self.white_heatmap and self.lr_explainer > 0:
            raise ValueError("white_heatmap bypasses the explainer: it needs lr_explainer 0")
        if self.lr_explainer > 0 and self.lr_classifier == 0 and self.alpha == 1:
            raise ValueError("alpha 1 leaves out the explanation loss, but only the explainer learns in this phase")
        return self

    @model_validator(mode="after")
    def _comes_to_an_end(self) -> "PhaseSettings":
        if self.epochs is None and self.patience is None:
            raise ValueError("nothing is sure to end this phase: set epochs or patience (`until` may never be met)")
        if self.epochs is None and self.schedule == "cosine":
            raise ValueError("schedule cosine is spread over the epochs of the phase: set epochs")
        return self


SELF_TIMED = (
    PhaseSettings(alpha=1.0, lr_classifier=0.01, lr_explainer=0, until=0.25, epochs=30, patience=10),
    PhaseSettings(alpha=0.25, lr_classifier=0, lr_explainer=0.02, until=0.5, epochs=20),
    PhaseSettings(alpha=0.75, lr_classifier=0.01, lr_explainer=0.02, epochs=40, schedule="cosine"),
)
"""Phases for a dataset that nobody has tried yet: the first two end when their own loss says so (docs/phases.md)."""
