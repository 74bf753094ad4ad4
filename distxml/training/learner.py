"""`Learner`: everything that one phase trains with."""

import math
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import cast

import torch
from torch import Tensor, nn, optim
from torch.nn.parallel import DistributedDataParallel
from torch.optim import Optimizer
from torch.optim.lr_scheduler import ConstantLR, CosineAnnealingLR, LRScheduler, ReduceLROnPlateau

from distxml.config import Recipe
from distxml.config.compute import ComputeSettings
from distxml.config.guard import GuardSettings
from distxml.config.phases import PhaseName, PhaseSettings
from distxml.config.training import OptimizerSettings
from distxml.data.batch import Batch
from distxml.losses import JointLoss
from distxml.models.joint import JointModel, JointOutput
from distxml.training.compute import autocast, fused_where_possible
from distxml.training.distributed import sum_over_ranks, world_size
from distxml.training.metrics import NOTHING_COUNTED, EpochMetrics, EpochSums

EXPLAINER_GROUP = 0
"""The explainer's parameter group, in phases in which it learns."""


def set_learning(model: JointModel, phase: PhaseSettings) -> None:
    """Networks with a learning rate train; the others are in eval mode, without gradients, BatchNorm at rest."""
    for network, lr in _networks(model, phase):
        network.requires_grad_(lr > 0)
        network.train(lr > 0)


def build_optimizer(model: JointModel, phase: PhaseSettings, settings: OptimizerSettings) -> Optimizer:
    """One optimizer with a parameter group for each network that learns: the explainer's first."""
    groups = [{"params": list(network.parameters()), "lr": lr} for network, lr in _networks(model, phase) if lr > 0]
    fused = fused_where_possible(settings.name, next(model.parameters()).device)
    if settings.name == "sgd":
        return optim.SGD(groups, momentum=settings.momentum, weight_decay=settings.weight_decay, fused=fused)
    if settings.name == "adamw":
        return optim.AdamW(groups, weight_decay=settings.weight_decay, fused=fused)
    return optim.Adadelta(groups, weight_decay=settings.weight_decay)


class Schedule:
    """The learning rates of a phase, updated once per epoch."""

    def __init__(self, optimizer: Optimizer, phase: PhaseSettings, settings: OptimizerSettings) -> None:
        self._optimizer = optimizer
        self._scheduler: LRScheduler
        if phase.schedule == "plateau":
            self._scheduler = ReduceLROnPlateau(
                optimizer, factor=settings.plateau_factor, patience=settings.plateau_patience, min_lr=settings.min_lr
            )
        elif phase.schedule == "cosine":
            assert phase.epochs is not None, "PhaseSettings refuses a cosine without epochs"
            self._scheduler = CosineAnnealingLR(optimizer, T_max=phase.epochs, eta_min=settings.min_lr)
        else:
            self._scheduler = ConstantLR(optimizer, factor=1.0, total_iters=0)

    def end_epoch(self, validation_loss: float) -> None:
        """Move on by one epoch."""
        if isinstance(self._scheduler, ReduceLROnPlateau):
            self._scheduler.step(validation_loss)
        else:
            self._scheduler.step()

    def scale(self, group: int, factor: float) -> None:
        """Multiply the rates of a parameter group, from now to the end of the phase."""
        self._optimizer.param_groups[group]["lr"] *= factor
        if not isinstance(self._scheduler, ReduceLROnPlateau):
            self._scheduler.base_lrs[group] *= factor

    def restart(self) -> None:
        """The phase begins anew, with the rates as they were scaled."""
        if isinstance(self._scheduler, ReduceLROnPlateau):
            return  # it counts epochs without progress, not epochs
        self._scheduler.last_epoch = 0
        for group, rate in zip(self._optimizer.param_groups, self._scheduler.base_lrs, strict=True):
            group["lr"] = rate

    def state_dict(self) -> dict[str, object]:
        """For the training state."""
        return self._scheduler.state_dict()

    def load_state_dict(self, state: dict[str, object]) -> None:
        """From the training state."""
        self._scheduler.load_state_dict(state)


@dataclass(frozen=True)
class LearningRates:
    """Of the two networks; 0 for a frozen one."""

    classifier: float
    explainer: float


def learning_rates(optimizer: Optimizer, phase: PhaseSettings) -> LearningRates:
    """The rates at present."""
    rates = iter(float(group["lr"]) for group in optimizer.param_groups)
    explainer = next(rates) if phase.lr_explainer > 0 else 0.0
    classifier = next(rates) if phase.lr_classifier > 0 else 0.0
    return LearningRates(classifier, explainer)


def clip_gradients(optimizer: Optimizer, limit: float | None) -> torch.Tensor:
    """Scale the gradient of all parameters together to a norm of at most `limit`; returns the norm before that."""
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    return nn.utils.clip_grad_norm_(parameters, math.inf if limit is None else limit)


def _networks(model: JointModel, phase: PhaseSettings) -> list[tuple[nn.Module, float]]:
    return [(model.explainer, phase.lr_explainer), (model.classifier, phase.lr_classifier)]


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
    def build(recipe: Recipe, name: PhaseName, model: JointModel, class_weights: Tensor | None) -> "Learner":
        """The learner of a phase; sets what is frozen.

        Args:
            recipe: of the run.
            name: the phase.
            model: on the device that it trains on; it is trained in place.
            class_weights: C, on the same device; None: all classes weigh the same.
        """
        phase = recipe.phases[name]
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

    def new_metrics(self, before: EpochSums = NOTHING_COUNTED) -> EpochMetrics:
        """Those of an epoch of which `before` was counted already."""
        return EpochMetrics(self.loss, self.guard, self.device, before)

    def without_exchange(self) -> AbstractContextManager[None]:
        """For all micro-batches but the last: gradients accumulate, and the ranks exchange them once."""
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
