"""Bootstraps over groups of images, one resample at a time."""

import math
from collections.abc import Sequence

import numpy as np

Group = Sequence[tuple[float, float]]
"""Numerator and denominator of each image of a group."""


def ratio(groups: Sequence[Group]) -> float:
    """Σ numerators / Σ denominators; NaN without a denominator."""
    below = sum(denominator for group in groups for _, denominator in group)
    above = sum(numerator for group in groups for numerator, _ in group)
    return above / below if below else (math.nan if above == 0 else math.inf)


def error(groups: Sequence[Group], present: int) -> float:
    """Its linearised standard error; `present`: groups that have a value, for the correction of the variance."""
    found = ratio(groups)
    residuals = [sum(numerator - found * denominator for numerator, denominator in group) for group in groups]
    below = sum(denominator for group in groups for _, denominator in group)
    return math.sqrt(present / (present - 1) * sum(one**2 for one in residuals)) / below


def studentized(counts: np.ndarray, groups: Sequence[Group], log: bool = False) -> tuple[float, float, float]:
    """Ends of the 95% interval over R resamples, R×groups counts, and the two-sided p-value of "it is 0".

    R-1 must be a multiple of 40. Resamples without a value do not count.
    """
    present = sum(any(numerator or denominator for numerator, denominator in group) for group in groups)
    found, spread = ratio(groups), error(groups, present)
    deviations = []
    for resample in counts:
        drawn = [group for group, times in zip(groups, resample, strict=True) for _ in range(int(times))]
        again = ratio(drawn)
        if math.isnan(again):
            continue
        if math.isinf(again):
            deviations.append(math.inf)
            continue
        own = error(drawn, present)
        if log:
            deviations.append((math.log(again) - math.log(found)) / (own / again))
        elif own > 1e-6 * spread:
            deviations.append((again - found) / own)
        else:
            deviations.append(0.0 if abs(again - found) < 1e-9 * spread else math.copysign(math.inf, again - found))
    deviations.sort()
    last = len(deviations) - 1
    low, high = deviations[round(0.025 * last)], deviations[round(0.975 * last)]
    above = 1 + sum(one >= found / spread for one in deviations)
    below = 1 + sum(one <= found / spread for one in deviations)
    p = min(1.0, 2 * min(above, below) / (1 + len(counts)))
    if log:
        scale = spread / found
        return math.exp(math.log(found) - high * scale), math.exp(math.log(found) - low * scale), p
    return found - high * spread, found - low * spread, p
