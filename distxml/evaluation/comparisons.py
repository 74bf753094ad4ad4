"""Methods against each other, image by image: every method with the random order, the in-model heatmap with all."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from distxml.config.evaluation import Fill, Method, Order
from distxml.evaluation.image_aopc import ImageAopc
from distxml.evaluation.intervals import Bootstrap
from distxml.evaluation.summary import SAME, Comparison

Values = NDArray[np.float64]


@dataclass(frozen=True)
class _Pairing:
    """Two methods at one setting, or over all of them (None); `difference` is n images' AOPC minus the other's."""

    method: Method
    other: Method
    order: Order
    patch_size: int | None
    fill: Fill | None
    difference: Values

    @property
    def wins(self) -> float:
        """Share of the images on which the method is better; equal ones count as half."""
        better = self.difference if self.order == "morf" else -self.difference
        return float(((better > SAME) + 0.5 * (abs(better) <= SAME)).mean())


def comparisons(scores: ImageAopc, bootstrap: Bootstrap) -> tuple[Comparison, ...]:
    """Of each pair of methods and each order, all settings and then the one over all of them."""
    return _compared(list(_pairings(scores)), bootstrap)


def overall_comparisons(scores: ImageAopc, bootstrap: Bootstrap) -> tuple[Comparison, ...]:
    """Those over all settings alone."""
    return _compared([pairing for pairing in _pairings(scores) if pairing.patch_size is None], bootstrap)


def pairs(methods: Sequence[Method]) -> list[tuple[Method, Method]]:
    """Every other method with `random`, then `in_model` with every other one, if they are there; no pair twice."""
    with_random: list[tuple[Method, Method]] = [(method, "random") for method in methods if method != "random"]
    of_in_model: list[tuple[Method, Method]] = [("in_model", method) for method in methods if method != "in_model"]
    found = (with_random if "random" in methods else []) + (of_in_model if "in_model" in methods else [])
    return list(dict.fromkeys(found))


def _pairings(scores: ImageAopc) -> Iterator[_Pairing]:
    for method, other in pairs(scores.methods) if len(scores.label) else []:
        for order in scores.orders:
            differences = scores.of(method, order) - scores.of(other, order)
            for (patch_size, fill), difference in zip(scores.settings, differences.T, strict=True):
                yield _Pairing(method, other, order, patch_size, fill, difference)
            yield _Pairing(method, other, order, None, None, differences.mean(1))


def _compared(pairings: Sequence[_Pairing], bootstrap: Bootstrap) -> tuple[Comparison, ...]:
    if not pairings:
        return ()
    low, high = bootstrap.means(np.stack([pairing.difference for pairing in pairings], axis=1))
    return tuple(
        Comparison(
            method=pairing.method,
            other=pairing.other,
            order=pairing.order,
            patch_size=pairing.patch_size,
            fill=pairing.fill,
            difference=float(pairing.difference.mean()),
            low=float(low[i]),
            high=float(high[i]),
            wins=pairing.wins,
            images=len(pairing.difference),
        )
        for i, pairing in enumerate(pairings)
    )
