"""How an epoch's time is spent, how long its gradients are, and how much memory the process takes."""

import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor
from torch.profiler import ProfilerActivity, profile, schedule, tensorboard_trace_handler

from distxml.data.batch import Batch

MB = 1e6

WAIT_STEPS = 3
"""Steps before anything is recorded: the first ones fill caches and choose kernels."""

WARM_UP_STEPS = 2
"""Steps that are recorded and thrown away: starting the profiler costs time that must not count."""


class StepMeter:
    """Measures the steps of one epoch; its clock starts when it is made.

    Nothing waits for a GPU while steps are counted: norms are added up where they are, and read when asked for. There
    the host may be a few steps ahead, so that a time is right over many steps, not over one.
    """

    def __init__(self) -> None:
        self._started = self._last_step = time.monotonic()
        self._waited = 0.0
        self._steps = 0
        self._norms: float | Tensor = 0.0

    def waited(self, seconds: float) -> None:
        """The step loop has waited so long for a batch."""
        self._waited += seconds

    def step(self, gradient_norm: float | Tensor) -> None:
        """A step is done.

        Args:
            gradient_norm: of the whole gradient, before clipping; a scalar on any device.
        """
        if isinstance(gradient_norm, Tensor):
            gradient_norm = gradient_norm.detach().double()
        self._norms = self._norms + gradient_norm
        self._steps += 1
        self._last_step = time.monotonic()

    @property
    def steps(self) -> int:
        """Steps counted."""
        return self._steps

    @property
    def data_wait(self) -> float:
        """Share of the time from the start to the last step that went into waiting for the loader, 0 to 1."""
        return self._waited / self._seconds if self._seconds else 0.0

    @property
    def step_seconds(self) -> float:
        """Mean seconds a step, waiting included; 0 before the first step."""
        return self._seconds / self._steps if self._steps else 0.0

    @property
    def gradient_norm(self) -> float:
        """Mean norm over the steps; 0 before the first step. Waits for the GPU."""
        return float(self._norms) / self._steps if self._steps else 0.0

    def per_second(self, images: float) -> float:
        """Images a second, where a step has `images` of them; 0 before the first step."""
        return images / self.step_seconds if self.step_seconds else 0.0

    def pace(self, images: float) -> dict[str, float]:
        """All of it, where a step has `images` images; nothing before the first step."""
        if not self._steps:
            return {}
        return {
            "images_per_second": self.per_second(images),
            "data_wait": self.data_wait,
            "step_seconds": self.step_seconds,
            "gradient_norm": self.gradient_norm,
        }

    @property
    def _seconds(self) -> float:
        """Up to the last step: what an epoch does after its steps (validation) does not count."""
        return self._last_step - self._started


def timed(batches: Iterator[Batch], meter: StepMeter) -> Iterator[Batch]:
    """The same batches; tells the meter how long each was waited for."""
    while True:
        asked = time.monotonic()
        batch = next(batches, None)
        if batch is None:
            return
        meter.waited(time.monotonic() - asked)
        yield batch


def memory(device: torch.device | None = None) -> dict[str, float]:
    """MB (10⁶ bytes) at the peak so far.

    Args:
        device: the GPU to ask; None: torch's current one.

    Returns:
        `resident_mb` of this process; and where it has used a GPU `gpu_mb`, allocated by torch there.
    """
    unit = 1 if sys.platform == "darwin" else 1024  # getrusage(2): bytes on macOS, KiB on Linux
    used = {"resident_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / MB}
    if torch.cuda.is_initialized():
        used["gpu_mb"] = torch.cuda.max_memory_allocated(device) / MB
    return used


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
