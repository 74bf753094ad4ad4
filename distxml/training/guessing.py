"""A classifier that has learnt nothing: no better than always naming the most common class."""

import numpy as np

from distxml.config import Recipe


def right_and_guessing(confusion: np.ndarray) -> tuple[float, float]:
    """Share of images that are classified rightly, and that always naming the most common class would have right.

    Args:
        confusion: C×C images by true class (row) and predicted class (column); at least one image.
    """
    images = confusion.sum()
    return float(confusion.trace() / images), float(confusion.sum(1).max() / images)


def advice_on_guessing(recipe: Recipe, phase_number: int, heat: float) -> str:
    """What to change.

    Args:
        heat: mean of the heatmaps; the classifier sees its features multiplied by them.
    """
    index = phase_number - 1
    phase = recipe.phases[index]
    rate = f"change phases.{index}.lr_classifier (now {phase.lr_classifier:g})"
    if phase.lr_explainer > 0:
        starved = f"raise phases.{index}.alpha (now {phase.alpha:g}), as the heatmap lets little through"
        return f"{starved} (its mean is {heat:.3f}), or {rate}"
    return f"{rate}, or let it train for longer (phases.{index}.epochs, patience and until)"
