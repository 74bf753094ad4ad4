"""Settings of the scores of explanations that training makes along the way; torch-free."""

from pydantic import Field

from distxml.config.base import Settings
from distxml.config.evaluation import Fill


class QuickScoresSettings(Settings):
    """Decision flips above random, AOPC and POMPOM of the in-model heatmap on a few validation images, the same ones
    after each epoch of the joint phase.

    For curves and for comparing trials of a sweep; `distxml evaluate` says how good a model is. An image costs
    2 · `steps` + 1 forward passes. Nothing that is learnt depends on them."""

    images: int = Field(default=64, ge=0)
    """Validation images that are scored, the classes in turn; 0: none. With fewer than 64 other images would rank the
    trials of a sweep otherwise (docs/tuning.md); a single run's curves do with 16."""
    seed: int = Field(default=0, ge=0)
    """Draws the images, the random order of patches, and the order of those that tie: the same ones whatever
    `run.seed` is."""
    patches: int = Field(default=6, ge=2)
    """Patches along the image's shorter side: they are replaced in the order of their heat, and in a random order."""
    steps: int = Field(default=4, ge=1)
    """Patches that are replaced, one after the other; fewer where the image has fewer."""
    fill: Fill = "blur"
    """What replaces a patch."""
