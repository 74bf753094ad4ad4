"""Groups of images drawn anew with replacement, the basis of every bootstrap: the same draws for every statistic.

Images of one group (a patient) are not independent, so groups are drawn, whole. Source: Davison, Hinkley, "Bootstrap
methods and their application", section 3.8.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from distxml.config.seeds import seed_from
from distxml.evaluation.statistics.groups import Groups

Values = NDArray[np.float64]
Counts = NDArray[np.uint16]

CELLS_AT_ONCE = 4_000_000
"""Draws are worked on in parts, so that draws × groups (or images) in memory as floats stay below this."""
MAX_CELLS_KEPT = 200_000_000
"""Draws × groups up to which they are kept, at two bytes each; more are drawn anew for each statistic."""


@dataclass(frozen=True, eq=False)
class Resamples:
    """R draws of G groups.

    Attributes:
        groups: of n images.
        draws: R.
        seed: of the run.
    """

    groups: Groups
    draws: int
    seed: int

    def counts(self) -> Iterator[Values]:
        """How often each group was drawn, r×G, in parts that make up all draws."""
        part = max(1, CELLS_AT_ONCE // max(1, self.groups.count))
        if self.draws * self.groups.count > MAX_CELLS_KEPT:
            yield from (counts.astype(np.float64) for counts in self._drawn(part))
        else:
            for start in range(0, self.draws, part):
                yield self._kept[start : start + part].astype(np.float64)

    def image_counts(self) -> Iterator[Values]:
        """How often each image was drawn with its group, r×n, in parts that make up all draws."""
        part = max(1, CELLS_AT_ONCE // max(1, self.groups.images))
        for counts in self.counts():
            for start in range(0, len(counts), part):
                yield counts[start : start + part, self.groups.number]

    @cached_property
    def _kept(self) -> Counts:
        groups = self.groups.count
        part = max(1, CELLS_AT_ONCE // max(1, groups))
        return np.concatenate([np.zeros((0, groups), np.uint16), *self._drawn(part)])

    def _drawn(self, part: int) -> Iterator[Counts]:
        generator, groups = np.random.default_rng(seed_from("bootstrap", self.seed)), self.groups.count
        for start in range(0, self.draws, part):
            rows = min(part, self.draws - start)
            drawn = generator.integers(0, groups, (rows, groups)) + groups * np.arange(rows)[:, None]
            counts = np.bincount(drawn.ravel(), minlength=rows * groups)
            yield counts.reshape(rows, groups).astype(np.uint16)
