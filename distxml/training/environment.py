"""What a run was made with: versions, machine and command, of each time that it was started."""

import json
import os
import platform
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import ray
import torch
import torchvision

from distxml import __version__

EARLIER = "earlier"
"""Key of the list of the starts before this one, the oldest first."""


def environment_with(before: Path) -> dict[str, object]:
    """This process's environment, with those that `before`, the same file as it was, tells of; it may be missing."""
    earlier: list[object] = []
    with suppress(OSError, ValueError):
        content = json.loads(before.read_bytes())
        if isinstance(content, dict):
            earlier = [*content.pop(EARLIER, []), content]
    return _environment() | ({EARLIER: earlier} if earlier else {})


def _environment() -> dict[str, object]:
    return {
        "distxml": __version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "torchvision": torchvision.__version__,
        "ray": ray.__version__,
        "platform": platform.platform(),
        "cpus": os.cpu_count(),
        "gpus": torch.cuda.device_count(),
        "command": " ".join(sys.argv),
        "started": datetime.now(UTC).isoformat("T", "seconds"),
    }
