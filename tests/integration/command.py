"""Runs `distxml` as a user would: a process of its own."""

import subprocess
import sys
from pathlib import Path

DISTXML = [str(Path(sys.executable).with_name("distxml"))]


def distxml(*words: object, cwd: Path, timeout: float = 600) -> subprocess.CompletedProcess[str]:
    """The finished command, with what it printed."""
    command = DISTXML + [str(word) for word in words]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=timeout, check=False)


def start_distxml(*words: object, cwd: Path) -> subprocess.Popen[str]:
    """The running command; its output goes to `output.log` in `cwd`."""
    with (cwd / "output.log").open("w") as log:
        command = DISTXML + [str(word) for word in words]
        return subprocess.Popen(command, cwd=cwd, stdout=log, stderr=subprocess.STDOUT, text=True)


SMALL_TRAINING = (
    "loader.image_size=16",
    "loader.batch_size=8",
    "model.classifier=small_resnet",
    "model.width=4",
    "model.explainer_width=4",
    "run.gallery=2",
)
"""Overrides that make a run last seconds."""
