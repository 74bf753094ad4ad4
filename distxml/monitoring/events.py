"""What training tells whoever watches: plain values that travel from the first rank to the driver."""

from dataclasses import dataclass

from distxml.config.phases import PhaseName
from distxml.errors import Cause


@dataclass(frozen=True)
class StepEvent:
    """Somewhere inside an epoch.

    Attributes:
        epoch: counts from 1.
        epochs: most epochs of this phase; None where it has no budget.
        step, steps: within the epoch.
        global_step: optimizer steps made in all phases.
        terms: the loss terms, accuracy and shares of black and white heat so far in this epoch.
        images_per_second: over all ranks.
        data_wait: share of the time since the epoch began that the first rank waited for its loader, 0 to 1.
        step_seconds: mean seconds per step, waiting included.
        gradient_norm: of the whole gradient before clipping, mean over this epoch's steps so far.
        seconds_left: until the epoch budgets of all phases are used up, at the present pace; None where this phase or
            one to come has no budget.
    """

    phase: PhaseName
    epoch: int
    epochs: int | None
    step: int
    steps: int
    global_step: int
    terms: dict[str, float]
    images_per_second: float
    data_wait: float
    step_seconds: float
    gradient_norm: float
    seconds_left: float | None


@dataclass(frozen=True)
class EpochEvent:
    """An epoch is over.

    Attributes:
        epoch, global_epoch: count from 1; `epoch` within the phase.
        epochs: most epochs of this phase; None where it has no budget.
        train, val: loss terms, accuracy and shares of black and white heat over the split.
        lr_classifier, lr_explainer: learning rates of this epoch.
        seconds: of the whole epoch.
        pace: images_per_second (training images over all ranks, validation left out), and data_wait, step_seconds and
            gradient_norm as in `StepEvent`, over the epoch's training steps; empty where the process made none of them.
            With them `scoring_seconds`, where explanations were scored.
        memory: MB (10⁶ bytes) of the first rank at its peak so far: `resident_mb`, and on a GPU `gpu_mb`.
    """

    phase: PhaseName
    epoch: int
    epochs: int | None
    global_epoch: int
    train: dict[str, float]
    val: dict[str, float]
    lr_classifier: float
    lr_explainer: float
    seconds: float
    pace: dict[str, float]
    memory: dict[str, float]


@dataclass(frozen=True)
class PhaseEndEvent:
    """A phase is over, and why."""

    phase: PhaseName
    epochs: int
    global_epoch: int
    reason: str


@dataclass(frozen=True)
class ResumedEvent:
    """Training resumes after an interruption: `epoch` epochs of `phase` were finished, and `step` steps of the next."""

    phase: PhaseName
    epoch: int
    global_epoch: int
    step: int


@dataclass(frozen=True)
class GuardEvent:
    """The collapse guard acted.

    Attributes:
        phase, epoch, global_epoch: where training resumes from: finished epochs, `epoch` within the phase.
        reason: what the guard saw.
        action: what it did.
        tries: how often it has acted in this phase, this time included.
        lr_explainer: learning rate that the explainer continues with.
    """

    phase: PhaseName
    epoch: int
    global_epoch: int
    reason: str
    action: str
    tries: int
    lr_explainer: float


@dataclass(frozen=True)
class NoticeEvent:
    """Something that the user should know and that does not stop the run."""

    global_epoch: int
    message: str


@dataclass(frozen=True)
class FailedEvent:
    """Something that the user can mend stopped a worker.

    Attributes:
        cause: what kind of error it is.
    """

    message: str
    cause: Cause = "unknown"


Event = StepEvent | EpochEvent | PhaseEndEvent | ResumedEvent | GuardEvent | NoticeEvent | FailedEvent
LoggedEvent = EpochEvent | PhaseEndEvent | ResumedEvent | GuardEvent | NoticeEvent
EVENT_NAMES: dict[type, str] = {
    EpochEvent: "epoch",
    PhaseEndEvent: "phase_end",
    ResumedEvent: "resumed",
    GuardEvent: "guard",
    NoticeEvent: "notice",
}
