"""Settings of a warm start: weights from a checkpoint of an earlier run."""

from pathlib import Path
from typing import Literal

from distxml.config.base import Settings


class WarmStartSettings(Settings):
    """Start from the weights of another run instead of new ones; optimizer and phases begin anew."""

    checkpoint: Path
    """Folder of a checkpoint that `distxml train` wrote, such as runs/NAME/checkpoints/joint/best_loss."""
    part: Literal["all", "explainer", "classifier"] = "all"
    """What is taken from it; the other network starts as `model` says. The architecture of what is taken must be this
    recipe's; so must the classes, unless only the explainer is taken."""
