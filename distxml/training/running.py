"""What training looked like over the last steps, on all ranks: the basis of decisions inside an epoch."""

from dataclasses import dataclass, field

from distxml.training.tally import COLUMNS, Metrics

STEPS_BETWEEN_LOOKS = 10
"""Every so many steps the ranks add up what they counted."""
DECAY_PER_STEP = 0.9
"""Weight of a step in the means relative to the step after it: half the weight lies on the last 7 steps. An explainer
may fall from white to black within 20."""


@dataclass
class RunningMeans:
    """Exponential means over steps of what a phase is judged by; saved with every checkpoint.

    Attributes:
        own_loss: the phase's own loss (`state.own_loss`).
        black, white: shares of such pixels.
        difference: between the heatmaps of two images; 1 where that is unknown.
        looked: `Tally.sums_over_ranks` when the means were brought up to date; later steps are not in them yet.
    """

    own_loss: float
    black: float
    white: float
    difference: float
    looked: list[float] = field(default_factory=list)

    def since(self, sums: list[float]) -> list[float]:
        """What was counted since the last look."""
        return [now - before for now, before in zip(sums, self.looked or [0.0] * COLUMNS, strict=True)]

    def look(self, window: Metrics, own_loss: str, steps: int, sums: list[float]) -> None:
        """Take in the means over the last `steps` steps."""
        keep = DECAY_PER_STEP**steps
        self.own_loss = keep * self.own_loss + (1 - keep) * window[own_loss]
        self.black = keep * self.black + (1 - keep) * window["black"]
        self.white = keep * self.white + (1 - keep) * window["white"]
        self.difference = keep * self.difference + (1 - keep) * window.get("difference", 1.0)
        self.looked = sums
