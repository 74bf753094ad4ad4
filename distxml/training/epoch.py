"""One optimizer step, in micro-batches where the settings say so, and the steps of one epoch."""

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
from distxml.training.metrics import EpochMetrics, Metrics
from distxml.training.phase import Learner, clip_gradients, set_learning


def cut(batch: Batch, shares: Shares, most: int | None) -> list[tuple[Batch, Shares]]:
    """The pieces, of at most `most` images each (see `number_of_pieces`), with their shares of the batch's means."""
    if most is None:
        return [(batch, shares)]
    number = number_of_pieces(int(sum_over_ranks(batch.weight.sum())), world_size(), most)
    parts = zip(shares.plain.tensor_split(number), shares.classed.tensor_split(number), strict=True)
    return list(zip(batch.parts(number), (Shares(*both) for both in parts), strict=True))


def number_of_pieces(images: int, ranks: int, most: int) -> int:
    """Equally many on every rank, although their shares of the global batch may differ by one image; none is empty.

    Where one rank has fewer images than the other would have pieces, the other's are one image larger.
    """
    largest_share, smallest_share = math.ceil(images / ranks), images // ranks
    return min(math.ceil(largest_share / most), max(smallest_share, 1))


@contextmanager
def one_update_of_statistics(model: nn.Module, pieces: int) -> Iterator[None]:
    """All pieces together move BatchNorm's running statistics as far as one undivided batch does.

    Each moves them by 1 - (1 - m)^(1/pieces) instead of the momentum m: if all had the same statistics, the result
    would be the undivided batch's.
    """
    norms = [module for module in model.modules() if isinstance(module, _BatchNorm)] if pieces > 1 else []
    before = [norm.momentum for norm in norms]
    for norm, momentum in zip(norms, before, strict=True):
        norm.momentum = None if momentum is None else 1 - (1 - momentum) ** (1 / pieces)
    try:
        yield
    finally:
        for norm, momentum in zip(norms, before, strict=True):
            norm.momentum = momentum


def timed(batches: Iterator[Batch], on_batch: Callable[[float], None]) -> Iterator[Batch]:
    """The same batches; `on_batch` is told how many seconds each was waited for."""
    while True:
        asked = time.monotonic()
        batch = next(batches, None)
        if batch is None:
            return
        on_batch(time.monotonic() - asked)
        yield batch


OnStep = Callable[[int, "Step"], bool]
"""Called after each step with the number of steps made in this epoch; whether the epoch is to go on."""


@dataclass(frozen=True)
class Step:
    """What an optimizer step computed.

    Attributes:
        output: for this rank's part of the global batch, without gradients.
        gradient_norm: of all parameters together, before clipping; a scalar.
    """

    output: JointOutput
    gradient_norm: Tensor


def train_step(learner: Learner, batch: Batch) -> Step:
    """One step on this rank's part of a global batch; the gradients are those of the whole global batch.

    Where `compute.micro_batch` is set the part is computed piece by piece. The ranks cut theirs into equally many.
    """
    loss = learner.loss_over_ranks()
    shares = loss.shares(batch.label, batch.weight)
    pieces = cut(batch, shares, learner.compute.micro_batch)
    learner.optimizer.zero_grad(set_to_none=True)
    outputs: list[JointOutput] = []
    with one_update_of_statistics(learner.model, len(pieces)):
        for piece, share in pieces[:-1]:
            with learner.without_exchange():
                outputs.append(_backward(learner, loss, piece, share))
        outputs.append(_backward(learner, loss, *pieces[-1]))
    norm = clip_gradients(learner.optimizer, learner.clip_norm)
    learner.optimizer.step()
    whole = JointOutput(torch.cat([out.logits for out in outputs]), torch.cat([out.heatmap for out in outputs]))
    return Step(whole, norm)


def train_epoch(
    learner: Learner, batches: Iterator[Batch], metrics: EpochMetrics, on_step: OnStep, first_step: int = 0
) -> Metrics:
    """The steps of an epoch from `first_step` on; the metrics are those of the weights as they were at each step."""
    set_learning(learner.model, learner.phase)
    for number, batch in enumerate(batches, start=first_step + 1):
        on_device = batch.to(learner.device)
        step = train_step(learner, on_device)
        metrics.update(step.output, on_device)
        if not on_step(number, step):
            break
    return metrics.compute()


def _backward(learner: Learner, loss: JointLoss, batch: Batch, shares: Shares) -> JointOutput:
    output = learner.forward(learner.wrapped, batch)
    terms = loss.add_up(loss.each(output.logits, output.heatmap, batch.label, batch.mask), shares)
    # The ranks' terms add up to the global batch's, but DDP averages their gradients.
    (terms.total * world_size()).backward()
    return JointOutput(output.logits.detach(), output.heatmap.detach())
