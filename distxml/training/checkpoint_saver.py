"""`CheckpointSaver`: when all ranks stop to save a checkpoint, and the first one writes it."""

from dataclasses import dataclass

from distxml.config.recipe import RunSettings
from distxml.config.run_folder import CheckpointName
from distxml.training.checkpoints import Checkpoints
from distxml.training.distributed import from_first_rank, wait_for_all
from distxml.training.learner import Learner
from distxml.training.state import TrainState


@dataclass(frozen=True, kw_only=True)
class CheckpointSaver:
    """Saves on one rank, in step with the others.

    Attributes:
        settings: how often to save within an epoch.
        is_first: whether this is the rank that writes.
    """

    checkpoints: Checkpoints
    settings: RunSettings
    is_first: bool

    def save(self, state: TrainState, learner: Learner, also: list[CheckpointName]) -> None:
        """Save as `last` and under the names in `also`; every rank must call it, and waits until that is done.

        Raises:
            UserError: see `Checkpoints.save`.
        """
        if self.is_first:
            self.checkpoints.save(learner, state, also)
        wait_for_all(learner.device)

    def is_due(self, step: int, learner: Learner, *, ranks_meet: bool) -> bool:
        """Whether to save after step `step` of an epoch; every rank must call it.

        Args:
            step: counted from 1.
            learner: of the phase.
            ranks_meet: whether the ranks exchange numbers at this step anyway; `checkpoint_minutes` counts only then.
        """
        if self.settings.checkpoint_steps is not None and step % self.settings.checkpoint_steps == 0:
            return True
        if self.settings.checkpoint_minutes is None or not ranks_meet:
            return False
        # The first rank's clock decides: the ranks must save at the same step.
        late = self.checkpoints.seconds_since_save() > 60 * self.settings.checkpoint_minutes
        return bool(from_first_rank([int(late)], learner.device)[0])


def healthy_name(state: TrainState, learner: Learner) -> list[CheckpointName]:
    """`healthy`, if these are weights that the guard may go back to."""
    learns = learner.phase.lr_explainer > 0
    return ["healthy"] if learns and state.is_healthy(learner.phase, learner.guard) else []
