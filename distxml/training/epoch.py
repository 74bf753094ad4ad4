"""The training steps of an epoch; each in micro-batches, where the settings say so, with the same gradients."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from distxml.data.batch import Batch
from distxml.losses import JointLoss, Shares
from distxml.models.joint import JointOutput
from distxml.training.distributed import sum_over_ranks, world_size
from distxml.training.learner import Learner, clip_gradients, set_learning
from distxml.training.metrics import EpochMetrics, Metrics


@dataclass(frozen=True)
class Step:
    """What an optimizer step computed.

    Attributes:
        output: for this rank's part of the global batch, without gradients.
        gradient_norm: of all parameters together, before clipping; a scalar.
    """

    output: JointOutput
    gradient_norm: Tensor


OnStep = Callable[[int, Step], bool]
"""Called after each step with the number of steps made in this epoch; whether to continue with the next one."""


def train_epoch(
    learner: Learner, batches: Iterator[Batch], metrics: EpochMetrics, on_step: OnStep, first_step: int = 0
) -> Metrics:
    """Make the steps of an epoch, or what is left of them.

    Args:
        learner: of the phase.
        batches: this rank's parts of the global batches.
        metrics: updated with each step's output.
        on_step: ends the epoch where it returns False.
        first_step: number of steps that the epoch had made when it was interrupted.

    Returns:
        Means over all ranks, each image with the weights as they were at its step.
    """
    set_learning(learner.model, learner.phase)
    for number, batch in enumerate(batches, start=first_step + 1):
        on_device = batch.to(learner.device)
        step = train_step(learner, on_device)
        metrics.update(step.output, on_device)
        if not on_step(number, step):
            break
    return metrics.compute()


def timed(batches: Iterator[Batch], on_batch: Callable[[float], None]) -> Iterator[Batch]:
    """The same batches; `on_batch` is told how many seconds each was waited for."""
    while True:
        asked = time.monotonic()
        batch = next(batches, None)
        if batch is None:
            return
        on_batch(time.monotonic() - asked)
        yield batch


def train_step(learner: Learner, batch: Batch) -> Step:
    """One step on this rank's part of a global batch; the gradients are those of the whole global batch."""
    loss = learner.loss_over_ranks()
    shares = loss.shares(batch.label, batch.weight)
    *others, last = split_micro_batches(batch, shares, learner.compute.micro_batch)
    learner.optimizer.zero_grad(set_to_none=True)
    outputs: list[JointOutput] = []
    with one_update_of_statistics(learner.model, len(others) + 1):
        for micro_batch, its_shares in others:
            with learner.without_exchange():
                outputs.append(_backward(learner, loss, micro_batch, its_shares))
        outputs.append(_backward(learner, loss, *last))
    norm = clip_gradients(learner.optimizer, learner.clip_norm)
    learner.optimizer.step()
    whole = JointOutput(torch.cat([out.logits for out in outputs]), torch.cat([out.heatmap for out in outputs]))
    return Step(whole, norm)


def split_micro_batches(batch: Batch, shares: Shares, limit: int | None) -> list[tuple[Batch, Shares]]:
    """A batch as micro-batches of at most `limit` images, with their shares of the batch's means.

    Where a rank has too few images for that, micro-batches are larger by one image, see `number_of_micro_batches`.
    """
    if limit is None:
        return [(batch, shares)]
    number = number_of_micro_batches(int(sum_over_ranks(batch.weight.sum())), world_size(), limit)
    parts = zip(shares.plain.tensor_split(number), shares.classed.tensor_split(number), strict=True)
    return list(zip(batch.parts(number), (Shares(*both) for both in parts), strict=True))


def number_of_micro_batches(images: int, ranks: int, limit: int) -> int:
    """How many micro-batches each rank splits its part of a global batch into: equally many, and none is empty.

    The ranks' parts may differ by one image. Where the smallest part has fewer images than the largest would have
    micro-batches, the number is that of the smallest, and the others' micro-batches exceed the limit by one image.

    Args:
        images: of the global batch.
        ranks: that share them.
        limit: images in a micro-batch.
    """
    largest_part, smallest_part = math.ceil(images / ranks), images // ranks
    return min(math.ceil(largest_part / limit), max(smallest_part, 1))


@contextmanager
def one_update_of_statistics(model: nn.Module, micro_batches: int) -> Iterator[None]:
    """All micro-batches together move BatchNorm's running statistics as far as one undivided batch does.

    Each moves them by 1 - (1 - m)^(1/n) for momentum m and n micro-batches: if all had the same statistics, the result
    would be the undivided batch's.
    """
    norms = [module for module in model.modules() if isinstance(module, _BatchNorm)] if micro_batches > 1 else []
    before = [norm.momentum for norm in norms]
    for norm, momentum in zip(norms, before, strict=True):
        norm.momentum = None if momentum is None else 1 - (1 - momentum) ** (1 / micro_batches)
    try:
        yield
    finally:
        for norm, momentum in zip(norms, before, strict=True):
            norm.momentum = momentum


def _backward(learner: Learner, loss: JointLoss, batch: Batch, shares: Shares) -> JointOutput:
    output = learner.forward(learner.wrapped, batch)
    each = loss.each(output.logits, output.heatmap, batch.label, batch.mask, batch.has_mask)
    # The ranks' losses add up to the global batch's, but DDP averages their gradients.
    (loss.total(each, shares) * world_size()).backward()
    return JointOutput(output.logits.detach(), output.heatmap.detach())
