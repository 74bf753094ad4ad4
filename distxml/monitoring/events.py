"""What training tells whoever watches: plain values that travel from the first rank to the driver."""

from dataclasses import dataclass


@dataclass(frozen=True)
class StepEvent:
    """Somewhere inside an epoch.

    Attributes:
        phase, epoch: count from 1.
        epochs: most epochs of this phase.
        step, steps: within the epoch.
        terms: the loss terms and accuracy so far in this epoch.
        images_per_second: over all ranks.
        seconds_left: until the epoch budgets of all phases are used up, at the present pace.
    """

    phase: int
    epoch: int
    epochs: int
    step: int
    steps: int
    terms: dict[str, float]
    images_per_second: float
    seconds_left: float


@dataclass(frozen=True)
class EpochEvent:
    """An epoch is over.

    Attributes:
        phase, epoch, global_epoch: count from 1; `epoch` within the phase.
        epochs: most epochs of this phase.
        train, val: loss terms and accuracy over the split.
        lr_classifier, lr_explainer: learning rates of this epoch.
        images_per_second: training images over all ranks, validation left out.
        seconds: of the whole epoch.
    """

    phase: int
    epoch: int
    epochs: int
    global_epoch: int
    train: dict[str, float]
    val: dict[str, float]
    lr_classifier: float
    lr_explainer: float
    images_per_second: float
    seconds: float


@dataclass(frozen=True)
class PhaseEndEvent:
    """A phase is over, and why."""

    phase: int
    epochs: int
    global_epoch: int
    reason: str


@dataclass(frozen=True)
class ResumedEvent:
    """Training goes on after an interruption: `epoch` epochs of `phase` were finished, and `step` steps of the next."""

    phase: int
    epoch: int
    global_epoch: int
    step: int


@dataclass(frozen=True)
class FailedEvent:
    """Something that the user can mend stopped a worker."""

    message: str


Event = StepEvent | EpochEvent | PhaseEndEvent | ResumedEvent | FailedEvent
LoggedEvent = EpochEvent | PhaseEndEvent | ResumedEvent
EVENT_NAMES: dict[type, str] = {EpochEvent: "epoch", PhaseEndEvent: "phase_end", ResumedEvent: "resumed"}
