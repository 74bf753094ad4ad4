"""What learns in a phase, what stands still, and with which optimizer and schedule."""

import math

import torch
from torch import nn, optim
from torch.optim import Optimizer
from torch.optim.lr_scheduler import ConstantLR, CosineAnnealingLR, LRScheduler, ReduceLROnPlateau

from distxml.config.training import OptimizerSettings, PhaseSettings
from distxml.models.joint import JointModel
from distxml.training.compute import fused_where_possible


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
    """The learning rates of a phase, moved on once an epoch."""

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


def learning_rates(optimizer: Optimizer, phase: PhaseSettings) -> tuple[float, float]:
    """The classifier's and the explainer's current rates; 0 for a frozen network."""
    rates = iter(float(group["lr"]) for group in optimizer.param_groups)
    explainer = next(rates) if phase.lr_explainer > 0 else 0.0
    classifier = next(rates) if phase.lr_classifier > 0 else 0.0
    return classifier, explainer


def clip_gradients(optimizer: Optimizer, limit: float | None) -> torch.Tensor:
    """Scale the gradient of all parameters together to a norm of at most `limit`; returns the norm before that."""
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    return nn.utils.clip_grad_norm_(parameters, math.inf if limit is None else limit)


def class_weights(setting: str | tuple[float, ...] | None, counts: list[int]) -> torch.Tensor | None:
    """Weights of the classes: none, as listed, or `balanced`: rows / (classes * rows of the class).

    Args:
        setting: `loss.class_weights`.
        counts: training rows of each class.
    """
    if setting is None:
        return None
    if isinstance(setting, tuple):
        return torch.tensor(setting)
    rows = torch.tensor(counts, dtype=torch.float32)
    return rows.sum() / (len(counts) * rows.clamp_min(1))


def _networks(model: JointModel, phase: PhaseSettings) -> list[tuple[nn.Module, float]]:
    return [(model.explainer, phase.lr_explainer), (model.classifier, phase.lr_classifier)]
