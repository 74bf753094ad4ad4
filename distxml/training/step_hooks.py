"""`StepHook`: what happens after each step of an epoch: looks, decisions, checkpoints."""

from dataclasses import dataclass

from distxml.config import Recipe
from distxml.config.run_folder import CheckpointName
from distxml.training.checkpoints import Checkpoints
from distxml.training.distributed import from_first_rank, share_buffers, wait_for_all
from distxml.training.epoch import Step
from distxml.training.guard import Collapse, collapse_in_training, is_white
from distxml.training.metrics import STEPS_BETWEEN_UPDATES, EpochMetrics
from distxml.training.phase import Learner
from distxml.training.run_logger import RunLogger
from distxml.training.speed import StepMeter, StepProfiler
from distxml.training.state import TrainState, check_finite, own_loss


@dataclass
class StepHook:
    """Watches one epoch on one rank; all ranks come to the same decisions.

    Attributes:
        steps: that a whole epoch has.
        metrics, meter: of this epoch.
        made: steps of this epoch that are made.
        ended: why the phase ended inside this epoch.
        collapse: why the guard stopped this epoch.
    """

    recipe: Recipe
    state: TrainState
    learner: Learner
    checkpoints: Checkpoints
    watcher: RunLogger | None
    steps: int
    metrics: EpochMetrics
    meter: StepMeter
    profiler: StepProfiler
    made: int
    ended: str | None = None
    collapse: Collapse | None = None

    def after(self, number: int, step: Step) -> bool:
        """Step `number` is made; whether the epoch goes on."""
        self.made = number
        self.meter.step(step.gradient_norm)
        self.profiler.step()
        if self.watcher:
            self.watcher.step(number, self.metrics)
        looks = number % STEPS_BETWEEN_UPDATES == 0 or number == self.steps
        if looks:
            self._look()
        if self.ended or self.collapse:
            return False
        if number < self.steps and self._is_due(looks):
            self._save_position()
        return True

    def _look(self) -> None:
        sums, means = self.metrics.sums_over_ranks(), self.state.means
        window = self.metrics.means(sums - means.counted)
        check_finite(window, self.state)
        steps = self._steps_since_look()
        means.update(window, own_loss(self.learner.phase), steps, sums)
        self.state.note_white(is_white(means.white, self.learner.guard), steps)
        self.collapse = collapse_in_training(means, self.state.white_steps, self.learner.phase, self.learner.guard)
        self.ended = self.state.reached_until(self.learner.phase)

    def _steps_since_look(self) -> int:
        return self.made % STEPS_BETWEEN_UPDATES or STEPS_BETWEEN_UPDATES

    def _is_due(self, looks: bool) -> bool:
        settings = self.recipe.run
        if settings.checkpoint_steps is not None and self.made % settings.checkpoint_steps == 0:
            return True
        if settings.checkpoint_minutes is None or not looks:
            return False
        # The first rank's clock decides: the ranks must save at the same step.
        late = self.checkpoints.seconds_since_save() > 60 * settings.checkpoint_minutes
        return bool(from_first_rank([int(late)], self.learner.device)[0])

    def _save_position(self) -> None:
        """A checkpoint in the middle of an epoch."""
        sums = self.metrics.sums_over_ranks()
        share_buffers(self.learner.model)
        self.state.note_position(self.made, sums)
        if self.watcher:
            self.checkpoints.save(self.learner, self.state, names_of_healthy(self.state, self.learner))
        wait_for_all(self.learner.device)


def names_of_healthy(state: TrainState, learner: Learner) -> list[CheckpointName]:
    """`healthy`, if the guard may come back to the present weights."""
    learns = learner.phase.lr_explainer > 0
    return ["healthy"] if learns and state.is_healthy(learner.phase, learner.guard) else []
