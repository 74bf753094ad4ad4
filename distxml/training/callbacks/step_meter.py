"""`StepMeter`: how an epoch's time is spent, and how long its gradients are."""

import time

from torch import Tensor

from distxml.training.callbacks.base import Callback, EpochContext, EpochReport
from distxml.training.callbacks.context import CallbackContext
from distxml.training.epoch import Step

EPSILON = 1e-9
"""Seconds where the clock says that none has passed."""


class StepMeter(Callback):
    """Measures the training steps of one epoch after the other.

    Nothing waits for a GPU while steps are counted: norms are added up where they are, and read when asked for. There
    the host may be a few steps ahead, so that a time is right over many steps, not over one.
    """

    def __init__(self) -> None:
        self._begin(images=0.0)

    def on_epoch_start(self, epoch: EpochContext) -> None:
        """Start the clock, and offer the pace to whoever reports steps."""
        self._begin(epoch.images / epoch.steps)
        epoch.measures.append(self.pace)

    def on_batch(self, seconds: float) -> None:
        self._waited += seconds

    def on_step(self, number: int, step: Step) -> None:
        self._norms = self._norms + step.gradient_norm.detach().double()
        self._steps += 1
        self._last_step = time.monotonic()

    def on_epoch_end(self, report: EpochReport) -> None:
        report.pace.update(self.pace())

    def pace(self) -> dict[str, float]:
        """Figures over the steps so far, see `StepEvent`; none before the first step. Waits for the GPU."""
        if not self._steps:
            return {}
        seconds = self._last_step - self._started or EPSILON  # validation, after the last step, does not count
        return {
            "images_per_second": self._images * self._steps / seconds,
            "data_wait": self._waited / seconds,
            "step_seconds": seconds / self._steps,
            "gradient_norm": float(self._norms) / self._steps,
        }

    def _begin(self, images: float) -> None:
        """`images`: of a step, over all ranks."""
        self._images = images
        self._started = self._last_step = time.monotonic()
        self._waited, self._steps = 0.0, 0
        self._norms: float | Tensor = 0.0


def make(context: CallbackContext) -> StepMeter:
    """In every run."""
    return StepMeter()
