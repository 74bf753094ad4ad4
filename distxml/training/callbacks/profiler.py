"""`Profiler`: records what a few steps of each phase's first epoch spend their time on."""

from contextlib import ExitStack
from pathlib import Path

import torch
from torch.profiler import ProfilerActivity, profile, schedule, tensorboard_trace_handler

from distxml.training.callbacks.base import Callback, EpochContext
from distxml.training.callbacks.context import CallbackContext
from distxml.training.epoch import Step

WAIT_STEPS = 3
"""Steps before anything is recorded: the first ones fill caches and choose kernels."""

WARM_UP_STEPS = 2
"""Steps that are recorded and thrown away: starting the profiler costs time that must not count."""


class Profiler(Callback):
    """Records steps of each phase after the first five, and writes what they did once they are done.

    An epoch that ends before that leaves what was recorded until then: of five steps or fewer, nothing of use.
    """

    def __init__(self, folder: Path, steps: int) -> None:
        """
        Args:
            folder: of the run's event files; a trace (chrome trace format) is `profile/PHASE/*.pt.trace.json` below.
            steps: how many to record.
        """
        self._folder, self._steps = folder, steps
        self._recording = ExitStack()
        self._profile: profile | None = None

    def on_epoch_start(self, epoch: EpochContext) -> None:
        """Start with the first step of a phase; a phase that resumes is not profiled."""
        if epoch.state.epoch or epoch.state.step_in_epoch:
            return
        target = self._folder / "profile" / epoch.state.phase
        recording = profile(
            activities=[ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if torch.cuda.is_available() else [])],
            schedule=schedule(wait=WAIT_STEPS, warmup=WARM_UP_STEPS, active=self._steps, repeat=1),
            on_trace_ready=tensorboard_trace_handler(str(target), worker_name="rank0"),
        )
        self._profile = self._recording.enter_context(recording)

    def on_step(self, number: int, step: Step) -> None:
        if self._profile:
            self._profile.step()

    def on_last_step(self) -> None:
        """Write what is recorded."""
        self._profile = None
        self._recording.close()


def make(context: CallbackContext) -> Profiler | None:
    """Where `run.profile` asks for it."""
    steps = context.recipe.run.profile
    return None if steps is None else Profiler(context.checkpoints.run.tensorboard, steps)
