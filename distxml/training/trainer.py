"""`Trainer`: three phases, epoch by epoch, from wherever the newest intact checkpoint left off."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor

from distxml.config import Recipe
from distxml.config.phases import PhaseName
from distxml.config.run_folder import CheckpointName
from distxml.config.seeds import seed_from
from distxml.data.batch import Batch
from distxml.data.loader import Loaders
from distxml.models.joint import JointModel
from distxml.monitoring.events import NoticeEvent, PhaseEndEvent, ResumedEvent
from distxml.training.callbacks.base import Callbacks, EpochContext, EpochReport
from distxml.training.checkpoint_saver import CheckpointSaver, healthy_name
from distxml.training.checkpoints import FRESH_START, Checkpoints, ResumePoint
from distxml.training.distributed import from_first_rank
from distxml.training.epoch import timed, train_epoch
from distxml.training.guard import Collapse, collapse_in_validation, dead_from_the_start
from distxml.training.guard_actions import GuardActions
from distxml.training.learner import Learner, learning_rates
from distxml.training.metrics import NOTHING_COUNTED, Metrics
from distxml.training.state import TrainState, check_finite, own_loss
from distxml.training.step_hooks import StepHook
from distxml.training.validation import collect_figures, validate
from distxml.training.warm_start import apply_warm_start


@dataclass(kw_only=True)
class Trainer:
    """Trains one model on one rank; all ranks run the same code and take the same decisions.

    Attributes:
        model: on its device; every rank starts from the same weights.
        class_weights: C, on the model's device, or None.
        data: this rank's loaders.
        checkpoints: of the run; the first rank writes them.
        resume_point: the checkpoint to resume from, the same on all ranks.
        notices: what the user should be told at the start, on the first rank.
        callbacks: this rank's; they watch and change nothing.
    """

    recipe: Recipe
    model: JointModel
    class_weights: Tensor | None = None
    data: Loaders
    checkpoints: Checkpoints
    resume_point: ResumePoint = FRESH_START
    notices: list[str] = field(default_factory=list)
    callbacks: Callbacks = field(default_factory=Callbacks)

    def fit(self) -> None:
        """Train until the joint phase ends."""
        state = self._begin()
        while True:
            if state.ended is None:
                state = self._run_phase(state)
            following = state.phase.next
            if following is None:
                return
            state = state.begin(following)

    def _begin(self) -> TrainState:
        """Resume from the newest intact checkpoint, or start."""
        checkpoint = self.resume_point.checkpoint
        if checkpoint is None:
            if self.recipe.warm_start is not None:
                apply_warm_start(self.model, self.recipe.warm_start, self.checkpoints.card)
            state = TrainState()
        else:
            state = self.checkpoints.state(checkpoint)
            self._load_weights(checkpoint.phase, checkpoint.name)
        for message in [*self.notices, *self.resume_point.skipped]:
            self.callbacks.on_notice(NoticeEvent(state.global_epoch, message))
        if checkpoint is not None:
            event = ResumedEvent(state.phase, state.epoch, state.global_epoch, state.step_in_epoch)
            self.callbacks.on_resume(event)
        return state

    def _run_phase(self, state: TrainState) -> TrainState:
        """Train until the phase ends."""
        learner = self._learner(state)
        while state.ended is None:
            collapse = self._run_epoch(state, learner)
            if collapse is not None:
                state = self._guard.act(state, learner, collapse)
                self._saver.save(state, learner, [])
        return state

    def _learner(self, state: TrainState) -> Learner:
        """What the phase trains with, as it was where the phase resumes."""
        fresh = state.start_loss is None
        before = state.phase.previous
        if fresh and before is not None and self.recipe.phases[state.phase].start_from == "best_loss":
            self._load_best(before, state)
        learner = Learner.build(self.recipe, state.phase, self.model, self.class_weights)
        if fresh:
            self._measure_start(state, learner)
            self._saver.save(state, learner, ["healthy"])
        elif self.resume_point.checkpoint is not None:
            self.checkpoints.restore_optimizer(self.resume_point.checkpoint, learner)
        return learner

    def _load_best(self, before: PhaseName, state: TrainState) -> None:
        """The best weights of the phase before; where they are damaged or there are none, its last ones stay."""
        damage = None
        if self._is_first:
            damage = self.checkpoints.damage(before, "best_loss")
            if damage is not None:
                start = f"the {state.phase} phase starts from the last weights of the {before} phase, not the best"
                self.callbacks.on_notice(NoticeEvent(state.global_epoch, f"{start}: {damage}"))
        if not from_first_rank([int(damage is not None)], self._device)[0]:
            self._load_weights(before, "best_loss")

    def _load_weights(self, phase: PhaseName, name: CheckpointName) -> None:
        self.model.load_state_dict(self.checkpoints.model(phase, name).model.state_dict())

    def _measure_start(self, state: TrainState, learner: Learner) -> None:
        """The phase's own loss before its first step, at most that of equal probabilities for all classes.

        A classifier with a fresh BatchNorm may start far above that: no progress is to be measured against it.
        """
        validation = validate(learner, self.data.val.evaluation())
        name = own_loss(learner.phase)
        uniform = math.log(len(self.checkpoints.card.classes))
        state.start(min(validation[name], uniform) if name == "classification" else validation[name], validation)
        dead = collapse_in_validation(validation, learner.phase, learner.guard)
        if dead is not None:
            raise dead_from_the_start(self.recipe, state.phase, dead)

    def _run_epoch(self, state: TrainState, learner: Learner) -> Collapse | None:
        """Train, validate, and save unless the guard has to act first."""
        rates = learning_rates(learner.optimizer, learner.phase)
        hook, train = self._train(state, learner)
        if hook.collapse is not None:
            state.note_position(hook.steps_made, hook.epoch.metrics.sums_over_ranks())
            return hook.collapse
        val = validate(learner, self.data.val.evaluation())
        check_finite(val, state)
        best = state.end_epoch(val, learner.phase, learner.guard, hook.steps_made)
        state.ended = hook.ended or state.ended
        learner.schedule.end_epoch(val["total"])
        report = EpochReport(state=state, learner=learner, train=train, val=dict(val), rates=rates)
        self.callbacks.on_epoch_end(report)
        collapse = collapse_in_validation(val, learner.phase, learner.guard)
        if collapse is None:
            self._finish_epoch(state, learner, val, best)
        return collapse

    def _train(self, state: TrainState, learner: Learner) -> tuple[StepHook, Metrics]:
        """The training steps of an epoch, or what is left of them."""
        first, loader = state.step_in_epoch, self.data.train
        epoch = EpochContext(
            state=state,
            learner=learner,
            metrics=learner.new_metrics(state.counted if self._is_first else NOTHING_COUNTED),
            steps=loader.steps(),
            images=len(loader.reader),
        )
        hook = StepHook(epoch=epoch, saver=self._saver, callbacks=self.callbacks, steps_made=first)
        batches = timed(self._batches(state), self.callbacks.on_batch)
        self.callbacks.on_epoch_start(epoch)
        try:
            train = train_epoch(learner, batches, epoch.metrics, hook.after_step, first)
        finally:
            self.callbacks.on_last_step()
        return hook, train

    def _batches(self, state: TrainState) -> Iterator[Batch]:
        """What is left of the epoch; each step's randomness (dropout) is a function of its number and the rank."""
        first, seed, loader = state.step_in_epoch, self.recipe.run.seed, self.data.train
        for number, batch in enumerate(loader.training(state.global_epoch, first), start=first):
            torch.manual_seed(seed_from("step", seed, state.step + number, loader.rank.index))
            yield batch

    def _finish_epoch(self, state: TrainState, learner: Learner, val: Metrics, best: list[CheckpointName]) -> None:
        """Save; where the phase has ended, say why and what is wrong with it."""
        if state.ended is not None:
            figures = collect_figures(learner, self.data.val.evaluation(), self.checkpoints.card.classes)
            event = PhaseEndEvent(state.phase, state.epoch, state.global_epoch, state.ended)
            self.callbacks.on_phase_end(event, figures)
            self._guard.warn_of_useless_heatmap(state, learner, val)
            self._guard.warn_of_useless_classifier(state, learner, figures, val["sparsity"])
        self._saver.save(state, learner, [*best, *healthy_name(state, learner)])

    @property
    def _guard(self) -> GuardActions:
        return GuardActions(self.recipe, self.checkpoints, self.callbacks)

    @property
    def _saver(self) -> CheckpointSaver:
        return CheckpointSaver(checkpoints=self.checkpoints, settings=self.recipe.run, is_first=self._is_first)

    @property
    def _is_first(self) -> bool:
        return self.data.train.rank.is_first

    @property
    def _device(self) -> torch.device:
        return next(self.model.parameters()).device
