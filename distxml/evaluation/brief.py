"""What it takes to score an image, beside the models."""

from dataclasses import dataclass

from distxml.config.recipe import Recipe
from distxml.evaluation.plan import Plan


@dataclass(frozen=True)
class Brief:
    """Plain values that travel to the workers.

    Attributes:
        recipe: evaluation and loss settings, seed, layout.
        plan: which curves.
        image_size: height and width in pixels.
        target_class: the class that is explained and followed in every image, where the settings name one.
    """

    recipe: Recipe
    plan: Plan
    image_size: tuple[int, int]
    target_class: int | None
