"""`TrainState`: where training stands, and when a phase ends."""

import math
from dataclasses import dataclass, field, replace

from distxml.config.guard import GuardSettings
from distxml.config.phases import PhaseName, PhaseSettings
from distxml.config.run_folder import CheckpointName
from distxml.errors import UnrecoverableError
from distxml.training.guard import is_healthy
from distxml.training.metrics import NOTHING_COUNTED, EpochSums, Metrics, RunningMeans


@dataclass
class TrainState:
    """Everything about progress that is not a tensor; saved with every checkpoint.

    Attributes:
        phase: which of the three is trained.
        epoch: finished epochs of this phase.
        global_epoch: finished epochs of all phases, those that the guard took back included.
        step: optimizer steps made in finished epochs.
        step_in_epoch: optimizer steps made in the epoch that is not finished: the position in its data.
        counted: what those steps counted on all ranks (`EpochMetrics.sums_over_ranks`).
        start_loss: the phase's own validation loss before its first step; None before it is known.
        means: over the last steps of this phase.
        black, difference: share of black pixels, and difference between the heatmaps of two images, in the last
            validation.
        best_loss, best_accuracy: best validation figures of this phase, None before the first epoch.
        stop_loss: the loss that early stopping compares with.
        stale_epochs: epochs since `stop_loss` improved.
        white_steps: steps in a row whose heatmap was white, since the phase began or the guard acted.
        tries: how often the guard has acted in this phase.
        rate_scale: what it has multiplied the explainer's learning rate by.
        ended: why this phase ended; None before that.
    """

    phase: PhaseName = PhaseName.CLASSIFIER
    epoch: int = 0
    global_epoch: int = 0
    step: int = 0
    step_in_epoch: int = 0
    counted: EpochSums = NOTHING_COUNTED
    start_loss: float | None = None
    means: RunningMeans = field(default_factory=lambda: RunningMeans(0.0, 0.0, 0.0, 1.0))
    black: float = 0.0
    difference: float = 1.0
    best_loss: float | None = None
    best_accuracy: float | None = None
    stop_loss: float | None = None
    stale_epochs: int = 0
    white_steps: int = 0
    tries: int = 0
    rate_scale: float = 1.0
    ended: str | None = None

    def begin(self, phase: PhaseName) -> "TrainState":
        """The state at the start of a later phase."""
        return TrainState(phase=phase, global_epoch=self.global_epoch, step=self.step)

    def start(self, loss: float, validation: Metrics) -> None:
        """The phase begins: its own loss and what its heatmap looks like before the first step."""
        self.start_loss = loss
        self._note_heat(validation)
        self.means = RunningMeans(loss, self.black, validation["white"], self.difference)

    def note_position(self, steps: int, counted: EpochSums) -> None:
        """The epoch is not finished: `steps` steps are made."""
        self.step_in_epoch, self.counted = steps, counted

    def note_white(self, is_white: bool, steps: int) -> None:
        """Whether the heatmap was white in the last `steps` steps."""
        self.white_steps = self.white_steps + steps if is_white else 0

    def end_epoch(
        self, validation: Metrics, settings: PhaseSettings, guard: GuardSettings, steps: int
    ) -> list[CheckpointName]:
        """Count an epoch and decide whether the phase ends.

        Args:
            validation: metrics after it.
            settings: of the phase.
            guard: says what a healthy heatmap is.
            steps: optimizer steps of the epoch.

        Returns:
            Names of the checkpoints that this epoch is the best of: `best_loss`, `best_accuracy`. A heatmap that is
            hardly alive is never the best, although its loss may be the lowest.
        """
        self.epoch += 1
        self.leave_epoch(steps)
        self._note_heat(validation)
        best = self._note_best(validation) if self.is_healthy(settings, guard) else []
        self._note_patience(validation["total"], settings.min_delta)
        self.ended = self._why_end(validation, settings)
        return best

    def leave_epoch(self, steps: int) -> None:
        """The epoch is over, be it finished or not, after `steps` steps."""
        self.global_epoch += 1
        self.step += steps
        self.means.counted = NOTHING_COUNTED
        self.note_position(0, NOTHING_COUNTED)

    def take_back(self, before: "TrainState", steps: int) -> "TrainState":
        """Where training continues after `steps` steps of an epoch that the guard stopped, or 0 where one was finished.

        Args:
            before: of the healthy checkpoint whose weights are loaded. Its position within an epoch counts only if it
                is the epoch that was stopped; otherwise a new epoch begins, so that no epoch's number comes twice.
            steps: of the stopped epoch.
        """
        back = replace(before, tries=self.tries, rate_scale=self.rate_scale, ended=None, means=replace(before.means))
        if before.global_epoch != self.global_epoch or before.step_in_epoch == 0:
            back.global_epoch, back.step = self.global_epoch, self.step + steps
            back.means.counted = NOTHING_COUNTED
            back.note_position(0, NOTHING_COUNTED)
        return back

    def reached_until(self, settings: PhaseSettings, validation: Metrics | None = None) -> str | None:
        """Why the phase's own loss ends it: in the running mean of training, or in `validation`."""
        name = own_loss(settings)
        if settings.until is None or not self.start_loss:
            return None
        # The lower of the two: BatchNorm's running statistics lag, so either mode may show a black heatmap first.
        loss = self.means.own_loss if validation is None else min(validation[name], self.means.own_loss)
        share = loss / self.start_loss
        return f"{name} loss fell to {share:.0%} of its start" if share <= settings.until else None

    def is_healthy(self, settings: PhaseSettings, guard: GuardSettings) -> bool:
        """Whether the weights are worth going back to, or starting from."""
        return settings.lr_explainer == 0 or is_healthy(self.means, self.black, self.difference, guard)

    def _note_heat(self, validation: Metrics) -> None:
        self.black, self.difference = validation["black"], validation.get("difference", 1.0)

    def _note_best(self, validation: Metrics) -> list[CheckpointName]:
        best: list[CheckpointName] = []
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

    def _why_end(self, validation: Metrics, settings: PhaseSettings) -> str | None:
        reached = self.reached_until(settings, validation)
        if reached is not None:
            return reached
        if settings.patience is not None and self.stale_epochs >= settings.patience:
            return f"no better validation loss for {settings.patience} epochs"
        if settings.epochs is not None and self.epoch >= settings.epochs:
            return "epoch budget"
        return None


def own_loss(settings: PhaseSettings) -> str:
    """The loss that a phase is about: the frozen network's is left out."""
    if settings.lr_explainer == 0:
        return "classification"
    return "explanation" if settings.lr_classifier == 0 else "total"


def check_finite(metrics: Metrics, state: TrainState) -> None:
    """Stop once the loss is not a finite number.

    Raises:
        UnrecoverableError: some metric is not finite.
    """
    if not all(math.isfinite(value) for value in metrics.values()):
        raise diverged(state, "the loss is not a finite number")


def diverged(state: TrainState, reason: str) -> UnrecoverableError:
    """The error of a run whose steps were too large."""
    return UnrecoverableError(
        f"{state.phase.label}, epoch {state.epoch + 1}: {reason}; lower phases.{state.phase}.lr_classifier or "
        "lr_explainer, or set optimizer.clip_norm, and start another run with run.name=NAME"
    )
