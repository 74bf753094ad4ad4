"""`Trainer`: three phases, epoch by epoch, from wherever the newest intact checkpoint left off."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor

from distxml.config import Recipe
from distxml.config.run_folder import CheckpointName
from distxml.config.seeds import seed_from
from distxml.data.batch import Batch
from distxml.data.loader import Loader
from distxml.models.joint import JointModel
from distxml.monitoring.events import EpochEvent, NoticeEvent, PhaseEndEvent, ResumedEvent
from distxml.training.checkpoints import NOTHING_FOUND, PHASES, Checkpoints, Found
from distxml.training.distributed import from_first_rank, wait_for_all
from distxml.training.epoch import train_epoch, validate
from distxml.training.guard import Collapse, collapse_in_validation, dead_from_the_start
from distxml.training.guard_actions import GuardActions
from distxml.training.metrics import NOTHING_COUNTED, Metrics
from distxml.training.phase import Learner, learning_rates
from distxml.training.run_logger import RunLogger
from distxml.training.speed import StepMeter, memory, profile_steps, timed
from distxml.training.state import TrainState, check_finite, own_loss
from distxml.training.step_hooks import StepHook, names_of_healthy
from distxml.training.validation import NOTHING_SCORED, Scores, collect_figures, no_scores, score
from distxml.training.warm_start import apply_warm_start


@dataclass
class Trainer:
    """Trains one model on one rank; all ranks run the same code and take the same decisions.

    Attributes:
        model: on its device; every rank starts from the same weights.
        train, val: this rank's loaders.
        class_weights: C, on the model's device, or None.
        watcher: the first rank's; it alone writes.
        found: the checkpoint to go on from, the same on all ranks.
        notices: what the user should be told at the start.
        scores: makes the scores of explanations, after each epoch of the third phase.
    """

    recipe: Recipe
    model: JointModel
    train: Loader
    val: Loader
    class_weights: Tensor | None
    checkpoints: Checkpoints
    watcher: RunLogger | None
    found: Found = NOTHING_FOUND
    notices: list[str] = field(default_factory=list)
    scores: Scores = no_scores

    def fit(self) -> None:
        """Train until the third phase ends."""
        state = self._take_up()
        while True:
            if state.ended is None:
                state = self._run_phase(state)
            if state.phase == PHASES[-1]:
                return
            state = state.next_phase()

    def _take_up(self) -> TrainState:
        """Go on from the newest intact checkpoint, or begin."""
        place = self.found.place
        if place is None:
            if self.recipe.warm_start is not None:
                apply_warm_start(self.model, self.recipe.warm_start, self.checkpoints.card)
            state = TrainState()
        else:
            state = self.checkpoints.state(place)
            self._take_weights(place.phase, place.name)
        self._tell(state)
        return state

    def _tell(self, state: TrainState) -> None:
        if self.watcher is None:
            return
        for message in [*self.notices, *self.found.skipped]:
            self.watcher.notice(NoticeEvent(state.global_epoch, message))
        if self.found.place is not None:
            self.watcher.resume(ResumedEvent(state.phase, state.epoch, state.global_epoch, state.step_in_epoch))

    def _take_weights(self, phase: int, name: CheckpointName) -> None:
        self.model.load_state_dict(self.checkpoints.model(phase, name).model.state_dict())

    def _run_phase(self, state: TrainState) -> TrainState:
        """Until the phase ends."""
        learner = self._learner(state)
        while state.ended is None:
            collapse = self._run_epoch(state, learner)
            if collapse is not None:
                state = self._reactions.react(state, learner, collapse)
                self._save(state, learner, [])
        return state

    def _learner(self, state: TrainState) -> Learner:
        fresh = state.start_loss is None
        if fresh and self.recipe.phases[state.phase - 1].start_from == "best_loss" and state.phase > 1:
            self._take_best(state)
        learner = Learner.build(self.recipe, state.phase, self.model, self.class_weights)
        if fresh:
            self._measure_start(state, learner)
            self._save(state, learner, ["healthy"])
        elif self.found.place is not None:
            self.checkpoints.restore_optimizer(self.found.place, learner)
        return learner

    def _take_best(self, state: TrainState) -> None:
        """The best weights of the phase before; where they are damaged or there are none, its last ones stay."""
        phase, damage = state.phase - 1, None
        if self.watcher:
            damage = self.checkpoints.damage(phase, "best_loss")
            if damage is not None:
                message = f"phase {state.phase} starts from the last weights of phase {phase}, not the best: {damage}"
                self.watcher.notice(NoticeEvent(state.global_epoch, message))
        if not from_first_rank([int(damage is not None)], self._device)[0]:
            self._take_weights(phase, "best_loss")

    def _measure_start(self, state: TrainState, learner: Learner) -> None:
        """The phase's own loss before its first step; a fresh BatchNorm may put it far above that of guessing."""
        validation = validate(learner, self.val.evaluation())
        name = own_loss(learner.phase)
        guessing = math.log(len(self.checkpoints.card.classes))
        state.start(min(validation[name], guessing) if name == "classification" else validation[name], validation)
        dead = collapse_in_validation(validation, learner.phase, learner.guard)
        if dead is not None:
            raise dead_from_the_start(self.recipe, state.phase, dead)

    def _run_epoch(self, state: TrainState, learner: Learner) -> Collapse | None:
        rates, meter = learning_rates(learner.optimizer, learner.phase), StepMeter()
        if self.watcher:
            self.watcher.start_epoch(state, self.train.steps(), len(self.train.reader), meter)
        watch, train = self._train(state, learner, meter)
        if watch.collapse is not None:
            state.note_position(watch.made, watch.metrics.sums_over_ranks())
            return watch.collapse
        val = validate(learner, self.val.evaluation())
        check_finite(val, state)
        best = state.end_epoch(val, learner.phase, learner.guard, watch.made)
        state.ended = watch.ended or state.ended
        learner.schedule.end_epoch(val["total"])
        collapse = collapse_in_validation(val, learner.phase, learner.guard)
        scored = score(self.scores, learner) if state.phase == PHASES[-1] else NOTHING_SCORED
        if self.watcher:
            self.checkpoints.check_still_ours()
            pace = meter.pace(len(self.train.reader) / self.train.steps())
            event = EpochEvent(
                phase=state.phase,
                epoch=state.epoch,
                epochs=learner.phase.epochs,
                global_epoch=state.global_epoch,
                train=train,
                val=val | scored.means,
                lr_classifier=rates[0],
                lr_explainer=rates[1],
                seconds=self.watcher.clock(),
                pace=pace | scored.pace if pace else {},
                memory=memory(learner.device if learner.device.type == "cuda" else None),
            )
            self.watcher.end_epoch(event, learner)
        if collapse is None:
            self._end_epoch(state, learner, val, best)
        return collapse

    def _train(self, state: TrainState, learner: Learner, meter: StepMeter) -> tuple[StepHook, Metrics]:
        first = state.step_in_epoch
        metrics = learner.new_metrics(state.counted if self.train.rank.index == 0 else NOTHING_COUNTED)
        folder = self.checkpoints.run.tensorboard
        steps = self.recipe.run.profile if self.watcher and state.epoch == 0 and first == 0 else None
        with profile_steps(folder, steps, state.phase) as profiler:
            watch = StepHook(
                self.recipe, state, learner, self.checkpoints, self.watcher, self.train.steps(), metrics, meter,
                profiler, made=first,
            )  # fmt: skip
            train = train_epoch(learner, timed(self._batches(state), meter), metrics, watch.after, first)
        return watch, train

    def _end_epoch(self, state: TrainState, learner: Learner, val: Metrics, best: list[CheckpointName]) -> None:
        if state.ended is not None:
            figures = collect_figures(learner, self.val.evaluation(), self.checkpoints.card.classes)
            if self.watcher:
                event = PhaseEndEvent(state.phase, state.epoch, state.global_epoch, state.ended)
                self.watcher.end_phase(event, figures)
            self._reactions.warn_of_useless(state, learner, val)
            self._reactions.warn_of_guessing(state, learner, figures, val["sparsity"])
        self._save(state, learner, [*best, *names_of_healthy(state, learner)])

    def _save(self, state: TrainState, learner: Learner, also: list[CheckpointName]) -> None:
        if self.watcher:
            self.checkpoints.save(learner, state, also)
        wait_for_all(learner.device)  # nobody goes on before the checkpoint is written

    def _batches(self, state: TrainState) -> Iterator[Batch]:
        """What is left of the epoch; each step's randomness (dropout) is a function of its number and the rank."""
        first, seed = state.step_in_epoch, self.recipe.run.seed
        for number, batch in enumerate(self.train.training(state.global_epoch, first), start=first):
            torch.manual_seed(seed_from("step", seed, state.step + number, self.train.rank.index))
            yield batch

    @property
    def _reactions(self) -> GuardActions:
        return GuardActions(self.recipe, self.checkpoints, self.watcher)

    @property
    def _device(self) -> torch.device:
        return next(self.model.parameters()).device
