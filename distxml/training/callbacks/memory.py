"""`PeakMemory`: how much memory the first rank's process takes."""

import resource
import sys

import torch

from distxml.training.callbacks.base import Callback, EpochReport
from distxml.training.callbacks.context import CallbackContext

MB = 1e6


class PeakMemory(Callback):
    """Adds the memory at its peak so far to each epoch's report."""

    def on_epoch_end(self, report: EpochReport) -> None:
        device = report.learner.device
        report.memory.update(peak_memory(device if device.type == "cuda" else None))


def peak_memory(device: torch.device | None = None) -> dict[str, float]:
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


def make(context: CallbackContext) -> PeakMemory:
    """In every run."""
    return PeakMemory()
