"""The bare training loop that `train.py worker` compares with: the joint phase as anybody would write it."""

import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Optimizer

from distxml.config import Recipe
from distxml.data.batch import Batch
from distxml.models.joint import JointModel

EPSILON = 1e-6


def bare_steps(recipe: Recipe, model: JointModel, optimizer: Optimizer, batches: list[Batch]) -> None:
    """What anybody would write, with the recipe's gradient clipping, if it has any."""
    for batch in batches:
        optimizer.zero_grad(set_to_none=True)
        output = model(batch.image)
        plain_loss(recipe, output.logits, output.heatmap, batch).backward()
        if recipe.optimizer.clip_norm is not None:
            nn.utils.clip_grad_norm_(model.parameters(), recipe.optimizer.clip_norm)
        optimizer.step()


def plain_loss(recipe: Recipe, logits: Tensor, heatmap: Tensor, batch: Batch) -> Tensor:
    """The joint phase's loss over a batch whose images all count: a scalar."""
    settings, alpha = recipe.loss, recipe.phases.joint.alpha
    pixels = heatmap.numel()
    variation = (heatmap.diff(dim=2).abs().sum() + heatmap.diff(dim=3).abs().sum()) / pixels
    explanation = settings.beta * heatmap.abs().mean() + (1 - settings.beta) * variation
    if settings.kind == "hybrid":
        outside = 1 - batch.mask
        heat = (outside * heatmap).sum((1, 2, 3)) / (outside.sum((1, 2, 3)) + EPSILON)
        explanation = explanation + settings.gamma * heat.mean()
    return alpha * F.cross_entropy(logits, batch.label) + (1 - alpha) * explanation
