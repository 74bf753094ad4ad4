"""Where the time of a few training steps goes, as a trace that Perfetto and TensorBoard's profiler plugin read."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import torch
from torch.profiler import ProfilerActivity, profile, schedule, tensorboard_trace_handler

WAIT_STEPS = 3
"""Steps before anything is recorded: the first ones fill caches and choose kernels."""
WARM_UP_STEPS = 2
"""Steps that are recorded and thrown away: starting the profiler costs time that must not count."""


class StepProfiler(Protocol):
    """Wants to know of every step."""

    def step(self) -> None:
        """A step is done."""
        ...


class _NoProfile:
    def step(self) -> None:
        """Nothing is recorded."""


@contextmanager
def profile_steps(folder: Path, steps: int | None, phase: int) -> Iterator[StepProfiler]:
    """Record `steps` steps of the block after the first five, and write what they did when they are done.

    A block that ends before that leaves what it had recorded: of five steps or fewer, nothing of use.

    Args:
        folder: of the run's event files; the trace is `profile/phaseN/*.pt.trace.json` below it (chrome trace format).
        steps: how many; None: no profile.
        phase: 1 to 3.
    """
    if steps is None:
        yield _NoProfile()
        return
    target = folder / "profile" / f"phase{phase}"
    with profile(
        activities=[ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if torch.cuda.is_available() else [])],
        schedule=schedule(wait=WAIT_STEPS, warmup=WARM_UP_STEPS, active=steps, repeat=1),
        on_trace_ready=tensorboard_trace_handler(str(target), worker_name="rank0"),
    ) as profiler:
        yield profiler
