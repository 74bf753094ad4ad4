"""Settings of augmentation; both loader backends take the same."""

from typing import Literal

from pydantic import Field

from distxml.config.base import Settings


class AugmentationSettings(Settings):
    """Random changes of the training images; masks follow every geometric one."""

    probability: float = Field(default=0.2, ge=0, le=1)
    """Probability that an image is augmented at all (0.2 in the paper's code)."""
    preset: Literal["paper", "flips"] = "paper"
    """`paper`: the set of operations of the paper's code. `flips`: 90° rotations and flips alone."""
