"""`Learner`: everything that one phase trains with."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim import Optimizer

from distxml.config import Recipe
from distxml.config.compute import ComputeSettings
from distxml.config.guard import GuardSettings
from distxml.config.training import PhaseSettings
from distxml.data.batch import Batch
from distxml.losses import JointLoss
from distxml.models.joint import JointModel, JointOutput
from distxml.training.compute import autocast
from distxml.training.phases import Schedule, build_optimizer, set_learning
from distxml.training.ranks import sum_over_ranks, world_size
from distxml.training.tally import Tally

EXPLAINER_GROUP = 0
"""The explainer's parameter group, in phases in which it learns."""


@dataclass(frozen=True)
class Learner:
    """A phase's model, loss, optimizer and schedule.

    Attributes:
        phase: its settings.
        model: the joint model itself.
        wrapped: the same model, in DDP where there are several ranks; training goes through it.
        loss: with denominators of this process alone.
        clip_norm: largest norm of the whole gradient, or None.
    """

    phase: PhaseSettings
    model: JointModel
    wrapped: nn.Module
    loss: JointLoss
    optimizer: Optimizer
    schedule: Schedule
    clip_norm: float | None
    guard: GuardSettings
    compute: ComputeSettings
    device: torch.device

    @staticmethod
    def build(recipe: Recipe, phase_number: int, model: JointModel, class_weights: Tensor | None) -> "Learner":
        """The learner of phase 1, 2 or 3; sets what is frozen."""
        phase = recipe.phases[phase_number - 1]
        set_learning(model, phase)
        optimizer = build_optimizer(model, phase, recipe.optimizer)
        device = next(model.parameters()).device
        return Learner(
            phase=phase,
            model=model,
            wrapped=_wrap(model, device),
            loss=JointLoss(recipe.loss.kind, phase.alpha, recipe.loss.beta, recipe.loss.gamma, class_weights),
            optimizer=optimizer,
            schedule=Schedule(optimizer, phase, recipe.optimizer),
            clip_norm=recipe.optimizer.clip_norm,
            guard=recipe.guard,
            compute=recipe.compute,
            device=device,
        )

    def forward(self, model: nn.Module, batch: Batch) -> JointOutput:
        """The output for a batch, with the heatmap that this phase uses, in the precision of the settings."""
        return self._forward(model, batch.image)

    def forward_images(self, image: Tensor) -> JointOutput:
        """The same for B×3×H×W images, without DDP."""
        return self._forward(self.model, image)

    def _forward(self, model: nn.Module, image: Tensor) -> JointOutput:
        with autocast(self.compute, self.device):
            return model(image, "white" if self.phase.white_heatmap else None)

    def loss_over_ranks(self) -> JointLoss:
        """The loss whose terms the ranks add up to those of a global batch."""
        return replace(self.loss, sum_over_ranks=sum_over_ranks)

    def tally(self, before: list[float] | None = None) -> Tally:
        """A fresh count, or one that goes on."""
        return Tally(self.loss, self.guard, self.device, before)

    def without_exchange(self) -> AbstractContextManager[None]:
        """While gradients accumulate: the ranks exchange them once, at the last part of a batch."""
        if world_size() == 1:
            return nullcontext()
        return cast(DistributedDataParallel, self.wrapped).no_sync()

    def scale_explainer_rate(self, factor: float) -> None:
        """Multiply the explainer's learning rate, which is not 0, for the rest of the phase."""
        self.schedule.scale(EXPLAINER_GROUP, factor)

    def forget_momentum(self) -> None:
        """The optimizer's memory of past gradients is of no use after a step back."""
        self.optimizer.state.clear()


def _wrap(model: JointModel, device: torch.device) -> nn.Module:
    """DDP anew for each phase: it registers the parameters that learn now, and no others."""
    if world_size() == 1:
        return model
    return DistributedDataParallel(
        model,
        device_ids=[device] if device.type == "cuda" else None,
        broadcast_buffers=False,  # only the first rank's count; `share_buffers` tells the others before they matter
        gradient_as_bucket_view=True,  # no copies of all gradients to and from what the ranks exchange
    )
