"""The percentile bootstrap, one resample at a time."""

import math
from collections.abc import Callable, Sequence

import numpy as np


def interval(counts: np.ndarray, statistic: Callable[[Sequence[int]], float]) -> tuple[float, float]:
    """Ends of the 95% interval over R resamples, R×images counts; R-1 must be a multiple of 40.

    A resample whose statistic is not a number does not count.
    """
    values: list[float] = []
    for resample in counts:
        drawn = [image for image, times in enumerate(resample) for _ in range(int(times))]
        values.append(statistic(drawn))
    values = sorted(value for value in values if not math.isnan(value))
    last = len(values) - 1
    return values[round(0.025 * last)], values[round(0.975 * last)]
