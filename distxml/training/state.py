"""`TrainState`: where training stands, and when a phase ends."""

import math
from dataclasses import dataclass, field

from distxml.config.training import PhaseSettings
from distxml.training.tally import Metrics


@dataclass
class TrainState:
    """Everything about progress that is not a tensor; saved with every checkpoint.

    Attributes:
        phase: 1 to 3.
        epoch: finished epochs of this phase.
        global_epoch: finished epochs of all phases.
        step: optimizer steps made in finished epochs.
        step_in_epoch: optimizer steps made in the epoch that is not finished: the position in its data.
        tally: what those steps counted on all ranks (`Tally.sums`).
        start_loss: the phase's own validation loss before its first step.
        best_loss, best_accuracy: best validation figures of this phase, None before the first epoch.
        stop_loss: the loss that early stopping compares with.
        stale_epochs: epochs since `stop_loss` improved.
        ended: why this phase ended; None while it goes on.
    """

    phase: int = 1
    epoch: int = 0
    global_epoch: int = 0
    step: int = 0
    step_in_epoch: int = 0
    tally: list[float] = field(default_factory=list)
    start_loss: float | None = None
    best_loss: float | None = None
    best_accuracy: float | None = None
    stop_loss: float | None = None
    stale_epochs: int = 0
    ended: str | None = None

    def next_phase(self) -> "TrainState":
        """The state at the start of the next phase."""
        return TrainState(phase=self.phase + 1, global_epoch=self.global_epoch, step=self.step)

    def note_position(self, steps: int, tally: list[float]) -> None:
        """The epoch is not finished: `steps` steps are made."""
        self.step_in_epoch, self.tally = steps, tally

    def end_epoch(self, training: Metrics, validation: Metrics, settings: PhaseSettings, steps: int = 0) -> list[str]:
        """Count an epoch of `steps` steps and decide whether the phase ends.

        Returns:
            Names of the checkpoints that this epoch is the best of: `best_loss`, `best_accuracy`.
        """
        self.epoch += 1
        self.global_epoch += 1
        self.step += steps
        self.note_position(0, [])
        best = self._note_best(validation)
        self._note_patience(validation["total"], settings.min_delta)
        self.ended = self._why_end(training, validation, settings)
        return best

    def _note_best(self, validation: Metrics) -> list[str]:
        best: list[str] = []
        if self.best_loss is None or validation["total"] < self.best_loss:
            self.best_loss = validation["total"]
            best.append("best_loss")
        if self.best_accuracy is None or validation["accuracy"] > self.best_accuracy:
            self.best_accuracy = validation["accuracy"]
            best.append("best_accuracy")
        return best

    def _note_patience(self, loss: float, min_delta: float) -> None:
        if self.stop_loss is None or loss < self.stop_loss - min_delta:
            self.stop_loss, self.stale_epochs = loss, 0
        else:
            self.stale_epochs += 1

    def _why_end(self, training: Metrics, validation: Metrics, settings: PhaseSettings) -> str | None:
        name = own_loss(settings)
        # The lower of the two: BatchNorm's running statistics lag, so either mode may show a black heatmap first.
        loss = min(training[name], validation[name])
        share = loss / self.start_loss if self.start_loss else math.inf
        if settings.stop_at_share is not None and share <= settings.stop_at_share:
            return f"{name} loss fell to {share:.0%} of its start"
        if settings.patience is not None and self.stale_epochs >= settings.patience:
            return f"no better validation loss for {settings.patience} epochs"
        if self.epoch >= settings.epochs:
            return "epoch budget"
        return None


def own_loss(settings: PhaseSettings) -> str:
    """The loss that a phase is about: the frozen network's is left out."""
    if settings.lr_explainer == 0:
        return "classification"
    return "explanation" if settings.lr_classifier == 0 else "total"
