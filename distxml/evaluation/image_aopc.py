"""AOPC image by image, so that methods can be compared on the same images and settings."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from distxml.config.evaluation import Fill, Method, Order
from distxml.evaluation.curve_sets import CurveSet, CurveSets

Values = NDArray[np.float64]
Labels = NDArray[np.int64]


@dataclass(frozen=True)
class ImageAopc:
    """AOPC of n images at S settings of patch size and fill.

    Attributes:
        settings: S pairs of a patch size and a fill, in the order of the plan.
        label: n true classes.
        values: n×S of every method and order that has curves.
    """

    settings: tuple[tuple[int, Fill], ...]
    label: Labels
    values: dict[tuple[Method, Order], Values]

    @property
    def methods(self) -> tuple[Method, ...]:
        """In the order of the plan."""
        return tuple(dict.fromkeys(method for method, _ in self.values))

    @property
    def orders(self) -> tuple[Order, ...]:
        """In the order of the plan."""
        return tuple(dict.fromkeys(order for _, order in self.values))

    def of(self, method: Method, order: Order) -> Values:
        """n×S; a random order has no direction, so that `random` has the same for both orders."""
        return self.values[method, self.orders[0] if method == "random" else order]

    def of_class(self, label: int) -> "ImageAopc":
        """The images of one true class."""
        chosen = self.label == label
        return replace(
            self, label=self.label[chosen], values={place: values[chosen] for place, values in self.values.items()}
        )


def image_aopc(curves: CurveSets) -> ImageAopc:
    """AOPC of every image, from all settings."""
    columns: dict[tuple[Method, Order], list[CurveSet]] = {}
    for one in curves.sets:
        columns.setdefault((one.method, one.order), []).append(one)
    settings: dict[tuple[int, Fill], None] = dict.fromkeys((one.patch_size, one.fill) for one in curves.sets)
    return ImageAopc(tuple(settings), curves.label, {place: _stacked(sets) for place, sets in columns.items()})


def _stacked(sets: Sequence[CurveSet]) -> Values:
    return np.stack([one.aopc for one in sets], axis=1)
