"""One optimizer step, one training epoch, one pass over the validation split."""

from collections.abc import Callable, Iterator

import torch

from distxml.data.batch import Batch
from distxml.models.joint import JointOutput
from distxml.training.learner import Learner
from distxml.training.phases import clip_gradients, set_learning
from distxml.training.ranks import share_buffers, world_size
from distxml.training.tally import Metrics, Tally

OnStep = Callable[[int, Tally], None]
"""Called after each step with the number of steps made in this epoch and what was counted so far."""


def train_step(learner: Learner, batch: Batch) -> JointOutput:
    """One step on this rank's part of a global batch; the gradients are those of the whole global batch."""
    output = learner.forward(learner.wrapped, batch)
    terms = learner.loss_over_ranks()(output.logits, output.heatmap, batch.label, batch.mask, batch.weight)
    learner.optimizer.zero_grad(set_to_none=True)
    # The ranks' terms add up to the global batch's, but DDP averages their gradients.
    (terms.total * world_size()).backward()
    clip_gradients(learner.optimizer, learner.clip_norm)
    learner.optimizer.step()
    return output


def train_epoch(
    learner: Learner, batches: Iterator[Batch], tally: Tally, on_step: OnStep, first_step: int = 0
) -> Metrics:
    """The steps of an epoch from `first_step` on; the metrics are those of the weights as they were at each step."""
    set_learning(learner.model, learner.phase)
    for number, batch in enumerate(batches, start=first_step + 1):
        on_device = batch.to(learner.device)
        output = train_step(learner, on_device)
        tally.add(output, on_device)
        on_step(number, tally)
    return tally.metrics()


@torch.no_grad()
def validate(learner: Learner, batches: Iterator[Batch]) -> Metrics:
    """Metrics over a split, each image once over all ranks; leaves the model in eval mode."""
    share_buffers(learner.model)
    learner.model.eval()
    tally = Tally(learner.loss, learner.device)
    for batch in batches:
        on_device = batch.to(learner.device)
        tally.add(learner.forward(learner.model, on_device), on_device)
    return tally.metrics()
