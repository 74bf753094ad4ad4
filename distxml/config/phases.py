"""The three phases of training: their names, their order and their settings."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Literal

from pydantic import Field, model_validator

from distxml.config.base import Settings


class PhaseName(StrEnum):
    """A phase by the network that learns in it; iterating over the class gives the order of training."""

    CLASSIFIER = "classifier"
    EXPLAINER = "explainer"
    JOINT = "joint"

    @property
    def number(self) -> int:
        """1, 2 or 3."""
        return len(self.through)

    @property
    def label(self) -> str:
        """As messages name it, such as `phase 3, joint`."""
        return f"phase {self.number}, {self}"

    @property
    def earlier(self) -> tuple["PhaseName", ...]:
        """The phases before this one, in order."""
        return self.through[:-1]

    @property
    def through(self) -> tuple["PhaseName", ...]:
        """The phases up to this one, in order."""
        order = list(PhaseName)
        return tuple(order[: order.index(self) + 1])

    @property
    def later(self) -> tuple["PhaseName", ...]:
        """The phases after this one, in order."""
        return tuple(phase for phase in PhaseName if phase not in self.through)

    @property
    def previous(self) -> "PhaseName | None":
        """The phase before this one, if any."""
        return next(reversed(self.earlier), None)

    @property
    def next(self) -> "PhaseName | None":
        """The phase after this one, if any."""
        return next(iter(self.later), None)


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
    """Weights that the phase starts from: the previous phase's last ones, or those of its lowest validation loss (the
    reference code)."""
    white_heatmap: bool | None = None
    """Use a heatmap of ones instead of the explainer's, which is then not computed. Unset: in the classifier phase,
    where its explainer is frozen and does not come from a checkpoint (`warm_start`). The run's `config.json` says
    which, and `evaluation.f=classifier_phase` scores the classifier under the same heatmap. The joint phase has none of
    ones."""

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


class PhasesSettings(Settings):
    """The three phases. The defaults suit a dataset that nobody has tried yet: the first two phases end when their own
    loss says so (docs/phases.md). `phases[name]` is one phase's settings."""

    classifier: PhaseSettings = PhaseSettings(
        alpha=1.0, lr_classifier=0.01, lr_explainer=0, until=0.25, epochs=30, patience=10
    )
    """The classifier phase, the first: the classifier alone."""
    explainer: PhaseSettings = PhaseSettings(alpha=0.25, lr_classifier=0, lr_explainer=0.02, until=0.5, epochs=20)
    """The explainer phase, the second: the explainer alone."""
    joint: PhaseSettings = PhaseSettings(
        alpha=0.75, lr_classifier=0.01, lr_explainer=0.02, epochs=40, schedule="cosine"
    )
    """The joint phase, the last: both networks together."""

    @model_validator(mode="after")
    def _the_joint_phase_has_a_heatmap(self) -> "PhasesSettings":
        if self.joint.white_heatmap:
            raise ValueError(
                "joint.white_heatmap=true: the joint phase's model is explained and scored under its explainer's "
                "heatmap, so its classifier must be trained under it; leave it out"
            )
        return self

    def __getitem__(self, name: PhaseName) -> PhaseSettings:
        return getattr(self, name)

    def items(self) -> Iterator[tuple[PhaseName, PhaseSettings]]:
        """Name and settings of each phase, in the order of training."""
        return ((name, self[name]) for name in PhaseName)
