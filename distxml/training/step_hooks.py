"""`StepHook`: what happens after each training step: callbacks, the guard, the end of a phase, a checkpoint."""

from dataclasses import dataclass

from distxml.training.callbacks.base import Callbacks, EpochContext
from distxml.training.checkpoint_saver import CheckpointSaver, healthy_name
from distxml.training.distributed import share_buffers
from distxml.training.epoch import Step
from distxml.training.guard import Collapse, collapse_in_training, is_white
from distxml.training.metrics import STEPS_BETWEEN_UPDATES
from distxml.training.state import check_finite, own_loss


@dataclass(kw_only=True)
class StepHook:
    """Called after each step of one epoch, on one rank. All ranks take the same decisions.

    Attributes:
        epoch: the epoch; its state is kept up to date.
        steps_made: steps of this epoch that are made.
        ended: why the phase ended within this epoch.
        collapse: why the guard stopped this epoch.
    """

    epoch: EpochContext
    saver: CheckpointSaver
    callbacks: Callbacks
    steps_made: int
    ended: str | None = None
    collapse: Collapse | None = None

    def after_step(self, number: int, step: Step) -> bool:
        """Step `number` of the epoch, counted from 1, is done; whether to continue with the next."""
        self.steps_made = number
        self.callbacks.on_step(number, step)
        ranks_meet = number % STEPS_BETWEEN_UPDATES == 0 or number == self.epoch.steps
        if ranks_meet:
            self._update_means()
        if self.ended or self.collapse:
            return False
        if number < self.epoch.steps and self.saver.is_due(number, self.epoch.learner, ranks_meet=ranks_meet):
            self._save_position()
        return True

    def _update_means(self) -> None:
        """Bring the running means up to date over all ranks; has the heatmap collapsed, is the phase at its end?"""
        state, learner = self.epoch.state, self.epoch.learner
        sums, means = self.epoch.metrics.sums_over_ranks(), state.means
        window = self.epoch.metrics.means(sums - means.counted)
        check_finite(window, state)
        steps = self.steps_made % STEPS_BETWEEN_UPDATES or STEPS_BETWEEN_UPDATES
        means.update(window, own_loss(learner.phase), steps, sums)
        state.note_white(is_white(means.white, learner.guard), steps)
        self.collapse = collapse_in_training(means, state.white_steps, learner.phase, learner.guard)
        self.ended = state.reached_until(learner.phase)

    def _save_position(self) -> None:
        """A checkpoint in the middle of an epoch."""
        state, learner = self.epoch.state, self.epoch.learner
        sums = self.epoch.metrics.sums_over_ranks()
        share_buffers(learner.model)
        state.note_position(self.steps_made, sums)
        self.saver.save(state, learner, healthy_name(state, learner))
