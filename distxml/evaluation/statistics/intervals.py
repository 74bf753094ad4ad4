"""95% intervals: a percentile bootstrap over images, and Wilson's interval of a share.

Source: Efron, Tibshirani, "An Introduction to the Bootstrap", section 13.3.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

from distxml.config.seeds import seed_from

Values = NDArray[np.float64]

PERCENTILES = (2.5, 97.5)
CELLS_AT_ONCE = 4_000_000
"""Resamples are drawn in parts, so that resamples × images in memory stay below this; one part is kept."""


@dataclass(frozen=True)
class Bootstrap:
    """Resamples of images, with replacement; the same ones for every statistic.

    Attributes:
        images: how many there are.
        resamples: how often they are drawn anew.
        seed: of the run.
    """

    images: int
    resamples: int
    seed: int

    def over(self, images: int) -> "Bootstrap":
        """The same resamples and seed for another number of images."""
        return replace(self, images=images)

    def counts(self) -> Iterator[Values]:
        """How often each image was drawn, R×images, in parts that make up all resamples."""
        if self.resamples * self.images <= CELLS_AT_ONCE:
            yield self._only_part
        else:
            yield from self._drawn()

    @cached_property
    def _only_part(self) -> Values:
        return next(self._drawn())

    def _drawn(self) -> Iterator[Values]:
        generator = np.random.default_rng(seed_from("bootstrap", self.seed))
        part = max(1, CELLS_AT_ONCE // self.images)
        for start in range(0, self.resamples, part):
            rows = min(part, self.resamples - start)
            drawn = generator.multinomial(self.images, np.full(self.images, 1 / self.images), size=rows)
            yield drawn.astype(np.float64)

    def means(self, values: Values) -> Values:
        """Low and high ends, 2×K, of the means over the images of images×K values."""
        return interval(np.concatenate([counts @ values for counts in self.counts()]) / self.images)

    def ratios(self, numerators: Values, denominators: Values) -> Values:
        """Low and high ends, 2×K, of K statistics Σ numerator / Σ denominator over the images.

        A mean over some of the images has 1 and 0 as denominators. NaN where no resample has a denominator.

        Args:
            numerators: images×K.
            denominators: images×K.
        """
        with np.errstate(invalid="ignore", divide="ignore"):
            samples = [(counts @ numerators) / (counts @ denominators) for counts in self.counts()]
        return interval(np.concatenate(samples))


def wilson(successes: int, trials: int) -> tuple[float, float]:
    """95% interval of a share of successes; it has a width even where all or none succeed, where a bootstrap has none.

    Source: Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927).
    """
    ends = binomtest(successes, trials).proportion_ci(confidence_level=0.95, method="wilson")
    return float(ends.low), float(ends.high)


def interval(samples: Values) -> Values:
    """2.5th and 97.5th percentiles of R×K samples: 2×K; NaN does not count, an infinite ratio does."""
    ends = np.full((2, samples.shape[1]), np.nan)
    defined = ~np.isnan(samples).all(0)
    with np.errstate(invalid="ignore"):
        ends[:, defined] = np.nanpercentile(samples[:, defined], PERCENTILES, axis=0, method="nearest")
    return ends
