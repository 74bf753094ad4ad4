"""What an evaluation will compute: which curves, on which images, and in how many forward passes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from distxml.config.evaluation import EvaluationSettings, Fill, Method, Order
from distxml.config.recipe import Recipe
from distxml.data.subsets import stratified_sample
from distxml.evaluation.perturbation.patches import patch_areas, patch_count

ROUNDING = 1e-9
"""A sum of areas that lacks less is whole."""


@dataclass(frozen=True)
class PlannedCurve:
    """The curve of a method at a patch size, in an order; there is one per fill."""

    method: Method
    patch_size: int
    order: Order
    counts: tuple[int, ...]
    """How many patches are replaced at each point, from 0 on, rising."""
    patches: int
    """Patches per image."""

    @property
    def steps(self) -> int:
        """L: points, that of the unperturbed image not counted."""
        return len(self.counts) - 1

    @property
    def is_complete(self) -> bool:
        """Whether the last point has every patch replaced; it is then the same for all curves of an image and fill."""
        return self.counts[-1] == self.patches


@dataclass(frozen=True)
class ScoringPlan:
    """The curves of each perturbed image, and which images are perturbed."""

    curves: tuple[PlannedCurve, ...]
    fills: tuple[Fill, ...]
    left_out_patch_sizes: tuple[int, ...]
    images: int
    """Images of the split."""
    curve_keys: frozenset[str]
    """Keys of the images that are perturbed."""

    @property
    def methods(self) -> tuple[Method, ...]:
        """Methods that have curves, in their order."""
        return tuple(dict.fromkeys(curve.method for curve in self.curves))


def points(curves: tuple[PlannedCurve, ...], fills: int) -> int:
    """Forward passes for these curves of one image: f(x(0)) once, the wholly replaced image once per fill, the rest."""
    if not curves:
        return 0
    complete = any(curve.is_complete for curve in curves)
    return 1 + fills * (complete + sum(curve.steps - curve.is_complete for curve in curves))


def make_plan(
    settings: EvaluationSettings, image_size: tuple[int, int], label_of_key: dict[str, int], seed: int
) -> ScoringPlan:
    """The plan for a split.

    Args:
        settings: what was asked for.
        image_size: height and width in pixels.
        label_of_key: label of every image of the split.
        seed: of the draw of images.
    """
    kept = [size for size in settings.patch_sizes if _is_kept(settings, image_size, size)]
    curves = tuple(
        _curve(settings, image_size, method, size, order)
        for method in settings.methods
        for size in kept
        for order in _orders(settings, method)
    )
    left_out = tuple(size for size in settings.patch_sizes if size not in kept)
    drawn = (
        frozenset(stratified_sample(label_of_key, settings.curve_images, seed))
        if curves and settings.fills
        else frozenset()
    )
    return ScoringPlan(curves, settings.fills, left_out, len(label_of_key), drawn)


def _orders(settings: EvaluationSettings, method: Method) -> tuple[Order, ...]:
    """A random order reversed is a random order: it needs one curve."""
    return settings.orders[:1] if method == "random" else settings.orders


def _is_kept(settings: EvaluationSettings, image_size: tuple[int, int], patch_size: int) -> bool:
    return patch_size <= min(image_size) and patch_count(image_size, patch_size) >= settings.min_patches


def _curve(
    settings: EvaluationSettings, image_size: tuple[int, int], method: Method, patch_size: int, order: Order
) -> PlannedCurve:
    patches = patch_count(image_size, patch_size)
    counts = _counts(settings, patch_areas(image_size, patch_size))
    return PlannedCurve(method, patch_size, order, counts, patches)


def _counts(settings: EvaluationSettings, areas: NDArray[np.float64]) -> tuple[int, ...]:
    """How many patches each point has replaced. Over a share: evenly spread, to where any order has replaced it."""
    most = areas.size if settings.steps == "all" else settings.steps
    if settings.share_limit is None:
        return tuple(range(min(most, areas.size) + 1))
    smallest_first = np.sort(areas, axis=None).cumsum()
    reached = int((smallest_first < settings.share_limit - ROUNDING).sum()) + 1
    points = min(most, reached)
    return tuple(round(point * reached / points) for point in range(points + 1))


@dataclass(frozen=True)
class ScoringSpec:
    """What is to be scored, as plain values that are sent to the workers.

    Attributes:
        recipe: evaluation and loss settings, seed, layout.
        plan: which curves.
        image_size: height and width in pixels.
        target_class: the class that is explained and followed in every image, where the settings name one.
    """

    recipe: Recipe
    plan: ScoringPlan
    image_size: tuple[int, int]
    target_class: int | None
