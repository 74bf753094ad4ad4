"""Settings of the scores of explanations that training makes along the way; torch-free."""

from pydantic import Field

from distxml.config.base import Settings
from distxml.config.evaluation import Fill


class QuickScoresSettings(Settings):
    """AOPC and POMPOM of the in-model heatmap on a few validation images, the same ones after each epoch of the
    joint phase.

    For curves and for comparing trials of a sweep; `distxml evaluate` says how good a model is. An image costs
    `steps` + 1 forward passes. Nothing that is learnt depends on them."""

    images: int = Field(default=16, ge=0)
    """Validation images that are scored, the classes in turn; 0: none."""
    seed: int = Field(default=0, ge=0)
    """Draws the images, and the order of patches that tie: the same ones whatever `run.seed` is."""
    patches: int = Field(default=6, ge=2)
    """Patches along the image's shorter side: they are replaced in the order of their heat."""
    steps: int = Field(default=8, ge=1)
    """Patches that are replaced, one after the other; fewer where the image has fewer."""
    fill: Fill = "blur"
    """What replaces a patch."""
