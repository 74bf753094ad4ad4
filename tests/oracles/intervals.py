"""Intervals and tests over groups of images, one group and one resample at a time."""

import math
from collections.abc import Callable, Sequence

import numpy as np
from scipy.stats import t as student

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


def interval(groups: Sequence[Group]) -> tuple[float, float]:
    """Ends of the 95% interval by Hall's transform, which is inverted by bisection; absent groups have (0, 0) alone."""
    present = [group for group in groups if any(numerator or denominator for numerator, denominator in group)]
    size, found = len(present), ratio(present)
    sums = [sum(numerator - found * denominator for numerator, denominator in group) for group in present]
    shares = [sum(denominator for _, denominator in group) for group in present]
    shares = [share / sum(shares) for share in shares]
    spread = math.sqrt(sum(one**2 / (1 - share) for one, share in zip(sums, shares, strict=True))) / sum(
        denominator for group in present for _, denominator in group
    )
    effective = 1 / sum(share**2 for share in shares)
    deviation = math.sqrt(sum(one**2 for one in sums) / (size - 1))
    skewness = sum(one**3 for one in sums) / size / deviation**3
    skewness *= effective > 0.9 * size
    percentile = float(student.ppf(0.975, effective - 1))

    def transform(t: float) -> float:  # Hall (1992), equation 2.7, of the studentised mean t
        y = t / math.sqrt(effective)
        bent = y + skewness * y**2 / 3 + skewness**2 * y**3 / 27 + skewness / (6 * effective)
        return math.sqrt(effective) * bent

    return found - spread * _inverse(transform, percentile), found - spread * _inverse(transform, -percentile)


def _inverse(function: Callable[[float], float], value: float) -> float:
    low, high = -1e4, 1e4
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if function(middle) < value else (low, middle)
    return low


def p_value(counts: np.ndarray, groups: Sequence[Group]) -> float:
    """Two-sided p-value of "it is 0" by R studentised resamples, R×groups counts; some may have no value."""
    present = sum(any(numerator or denominator for numerator, denominator in group) for group in groups)
    found, spread = ratio(groups), error(groups, present)
    deviations = []
    for resample in counts:
        drawn = [group for group, times in zip(groups, resample, strict=True) for _ in range(int(times))]
        again = ratio(drawn)
        if math.isnan(again):
            continue
        own = error(drawn, present)
        if own > 1e-6 * spread:
            deviations.append((again - found) / own)
        else:
            deviations.append(0.0 if abs(again - found) < 1e-9 * spread else math.copysign(math.inf, again - found))
    above = 1 + sum(one >= found / spread for one in deviations)
    below = 1 + sum(one <= found / spread for one in deviations)
    return min(1.0, 2 * min(above, below) / (1 + len(counts)))


def ratio_of_means(above: Sequence[Sequence[float]], below: Sequence[Sequence[float]]) -> tuple[float, float] | None:
    """Ends of the ratios r of which Student's interval of the mean of above - r × below holds 0, by bisection.

    Args:
        above: of each group its images' values.
        below: the same of what they are divided by.

    Returns:
        None where Student's interval of the mean of `below` is not above 0.
    """

    def deviation(r: float) -> float:
        """Of the mean in standard errors, minus the percentile; below 0 within the interval."""
        pairs = [zip(*pair, strict=True) for pair in zip(above, below, strict=True)]
        return _student([[top - r * bottom for top, bottom in pair] for pair in pairs])

    if _student(below) <= 0 or sum(map(sum, below)) <= 0:
        return None
    middle = sum(map(sum, above)) / sum(map(sum, below))
    return _inverse(lambda r: -deviation(min(r, middle)), 0.0), _inverse(lambda r: deviation(max(r, middle)), 0.0)


def _student(groups: Sequence[Sequence[float]]) -> float:
    images = sum(map(len, groups))
    mean = sum(map(sum, groups)) / images
    squares = sum(sum(value - mean for value in group) ** 2 / (1 - len(group) / images) for group in groups)
    effective = images**2 / sum(len(group) ** 2 for group in groups)
    return abs(mean) / (math.sqrt(squares) / images) - float(student.ppf(0.975, effective - 1))
