"""`Trainer`: three phases, epoch by epoch, from wherever the newest checkpoint left off."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from distxml.config import Recipe
from distxml.config.seeds import seed_from
from distxml.data.batch import Batch
from distxml.data.loader import Loader
from distxml.errors import UserError
from distxml.models.joint import JointModel
from distxml.monitoring.events import EpochEvent, PhaseEndEvent, ResumedEvent
from distxml.training.checkpoints import PHASES, Checkpoints
from distxml.training.epoch import train_epoch, validate
from distxml.training.learner import Learner
from distxml.training.phases import learning_rates
from distxml.training.ranks import share_buffers, wait_for_all
from distxml.training.state import TrainState, own_loss
from distxml.training.tally import Tally
from distxml.training.watcher import Watcher


@dataclass
class Trainer:
    """Trains one model on one rank; all ranks run the same code and take the same decisions.

    Attributes:
        model: on its device; every rank starts from the same weights.
        train, val: this rank's loaders.
        class_weights: C, on the model's device, or None.
        watcher: the first rank's; it alone writes.
    """

    recipe: Recipe
    model: JointModel
    train: Loader
    val: Loader
    class_weights: Tensor | None
    checkpoints: Checkpoints
    watcher: Watcher | None

    def fit(self) -> None:
        """Train until the third phase ends."""
        state = self.checkpoints.newest_state()
        if state is None:
            state = TrainState()
        else:
            self._adopt(state)
        while True:
            if state.ended is None:
                self._run_phase(state)
            if state.phase == PHASES[-1]:
                return
            state = state.next_phase()

    def _adopt(self, state: TrainState) -> None:
        """Take over the weights of the newest checkpoint."""
        self.model.load_state_dict(self.checkpoints.load(state.phase, "last").model.state_dict())
        if self.watcher:
            self.watcher.resume(ResumedEvent(state.phase, state.epoch, state.global_epoch, state.step_in_epoch))

    def _run_phase(self, state: TrainState) -> None:
        fresh = state.epoch == 0 and state.step_in_epoch == 0
        if fresh and self.recipe.phases[state.phase - 1].start_from == "best_loss" and state.phase > 1:
            self.model.load_state_dict(self.checkpoints.load(state.phase - 1, "best_loss").model.state_dict())
        learner = Learner.build(self.recipe, state.phase, self.model, self.class_weights)
        if fresh:
            state.start_loss = self._start_loss(learner)
        else:
            self.checkpoints.restore_optimizer(state.phase, learner.optimizer, learner.schedule)
        while state.ended is None:
            self._run_epoch(state, learner)

    def _start_loss(self, learner: Learner) -> float:
        """The phase's own loss before its first step; a fresh BatchNorm may put it far above that of guessing."""
        name = own_loss(learner.phase)
        loss = validate(learner, self.val.evaluation())[name]
        classes = len(self.checkpoints.card.classes)
        return min(loss, math.log(classes)) if name == "classification" else loss

    def _run_epoch(self, state: TrainState, learner: Learner) -> None:
        if self.watcher:
            self.watcher.start_epoch(state, self.train.steps())
        rates = learning_rates(learner.optimizer, learner.phase)
        first = state.step_in_epoch
        tally = Tally(learner.loss, learner.device, state.tally if self.train.rank.index == 0 else None)
        on_step = partial(self._on_step, state, learner)
        train = train_epoch(learner, self._batches(state), tally, on_step, first)
        trained = self.watcher.clock() if self.watcher else 0.0
        val = validate(learner, self.val.evaluation())
        _check_finite([*train.values(), *val.values()], state)
        best = state.end_epoch(train, val, learner.phase, self.train.steps())
        learner.schedule.end_epoch(val["total"])
        if self.watcher:
            self.checkpoints.check_still_ours()
            event = EpochEvent(
                phase=state.phase,
                epoch=state.epoch,
                epochs=learner.phase.epochs,
                global_epoch=state.global_epoch,
                train=train,
                val=val,
                lr_classifier=rates[0],
                lr_explainer=rates[1],
                images_per_second=len(self.train.reader) * (1 - first / self.train.steps()) / trained,
                seconds=self.watcher.clock(),
            )
            self.watcher.end_epoch(event, learner)
            if state.ended is not None:
                self.watcher.end_phase(PhaseEndEvent(state.phase, state.epoch, state.global_epoch, state.ended))
            self.checkpoints.save(learner, state, best)
        wait_for_all(learner.device)  # nobody goes on before the checkpoint is written

    def _batches(self, state: TrainState) -> Iterator[Batch]:
        """What is left of the epoch; each step's randomness (dropout) is a function of its number and the rank."""
        first, seed = state.step_in_epoch, self.recipe.run.seed
        for number, batch in enumerate(self.train.training(state.global_epoch, first), start=first):
            torch.manual_seed(seed_from("step", seed, state.step + number, self.train.rank.index))
            yield batch

    def _on_step(self, state: TrainState, learner: Learner, number: int, tally: Tally) -> None:
        if self.watcher:
            self.watcher.step(number, tally)
        every = self.recipe.run.checkpoint_steps
        if every is not None and number % every == 0 and number < self.train.steps():
            self._save_position(state, learner, number, tally)

    def _save_position(self, state: TrainState, learner: Learner, number: int, tally: Tally) -> None:
        """A checkpoint in the middle of an epoch."""
        share_buffers(learner.model)
        state.note_position(number, tally.sums_over_ranks())
        if self.watcher:
            self.checkpoints.check_still_ours()
            self.checkpoints.save(learner, state, [])
        wait_for_all(learner.device)


def _check_finite(values: list[float], state: TrainState) -> None:
    if not all(math.isfinite(value) for value in values):
        raise UserError(
            f"phase {state.phase}, epoch {state.epoch + 1}: the loss is not a finite number; "
            f"lower phases.{state.phase - 1}.lr_classifier or lr_explainer, or set optimizer.clip_norm"
        )
