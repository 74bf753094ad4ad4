"""Paired differences, image by image: between two methods, and between the two orders of one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from distxml.config.evaluation import Fill, Method, Order
from distxml.evaluation.statistics.image_aopc import ImageAopc
from distxml.evaluation.verdict import SAME
from distxml.metrics.lookup import BETTER_AOPC

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Place:
    """What is compared, and where.

    Attributes:
        method: the first of the two.
        other: the second; None: the method's MoRF is compared with its own LeRF.
        order: None where `other` is.
        patch_size: side in pixels; None: the mean over all patch sizes.
        fill: None: the mean over all patch sizes and fills.
        label: the true class whose images alone are compared; None: all images.
    """

    method: Method
    other: Method | None
    order: Order | None
    patch_size: int | None = None
    fill: Fill | None = None
    label: int | None = None


@dataclass(frozen=True, eq=False)
class PairedDifference:
    """What the first has more than the second: m of the n perturbed images.

    Attributes:
        place: what is compared.
        values: m.
        images: n, True for the m images.
    """

    place: Place
    values: Values
    images: NDArray[np.bool_]

    @property
    def wins(self) -> float:
        """Share of the images on which the first is better; equal ones count as half."""
        better = self.values if self.place.order is None or BETTER_AOPC[self.place.order] == "higher" else -self.values
        return float(((better > SAME) + 0.5 * (abs(better) <= SAME)).mean())


def pairs(methods: Sequence[Method]) -> list[tuple[Method, Method]]:
    """Every other method with `random`, then `in_model` with every other one, if they are there; no pair twice."""
    with_random: list[tuple[Method, Method]] = [(method, "random") for method in methods if method != "random"]
    of_in_model: list[tuple[Method, Method]] = [("in_model", method) for method in methods if method != "in_model"]
    found = (with_random if "random" in methods else []) + (of_in_model if "in_model" in methods else [])
    return list(dict.fromkeys(found))


def differences_of_methods(scores: ImageAopc) -> Iterator[PairedDifference]:
    """Of each pair of methods and each order: all settings, the mean over them at each fill, and that over all.

    Of a class only the last one.
    """
    for method, other in pairs(scores.methods) if len(scores.label) else []:
        for order in scores.orders:
            differences = scores.of(method, order) - scores.of(other, order)
            place = Place(method, other, order, label=scores.only)
            if scores.only is None:
                yield from _at_settings(place, scores, differences)
            yield PairedDifference(place, differences.mean(1), scores.images)


def _at_settings(place: Place, scores: ImageAopc, differences: Values) -> Iterator[PairedDifference]:
    """At every patch size and fill, then over the patch sizes at every fill, of n×S differences."""
    for (patch_size, fill), values in zip(scores.settings, differences.T, strict=True):
        yield PairedDifference(replace(place, patch_size=patch_size, fill=fill), values, scores.images)
    for fill in scores.fills:
        yield PairedDifference(replace(place, fill=fill), differences[:, scores.at(fill)].mean(1), scores.images)


def differences_of_orders(scores: ImageAopc) -> Iterator[PairedDifference]:
    """AOPC of MoRF minus that of LeRF at every setting; none without both orders or images, of `random`, by class."""
    if set(scores.orders) != {"morf", "lerf"} or not len(scores.label) or scores.only is not None:
        return
    for method in scores.methods:
        if method != "random":
            gaps = scores.of(method, "morf") - scores.of(method, "lerf")
            for (patch_size, fill), values in zip(scores.settings, gaps.T, strict=True):
                yield PairedDifference(Place(method, None, None, patch_size, fill), values, scores.images)
