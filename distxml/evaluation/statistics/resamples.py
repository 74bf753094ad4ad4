"""Groups of images drawn anew with replacement, the basis of every bootstrap: the same draws for every statistic.

Images of one group (a patient) are not independent, so groups are drawn, whole. Source: Davison, Hinkley, "Bootstrap
methods and their application", section 3.8.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from distxml.config.seeds import seed_from
from distxml.data.groups import Numbers, group_numbers

Values = NDArray[np.float64]
Counts = NDArray[np.uint16]

CELLS_AT_ONCE = 4_000_000
"""Draws are worked on in parts, so that draws × groups (or images) in memory as floats stay below this."""
MAX_CELLS_KEPT = 200_000_000
"""Draws × groups up to which they are kept, at two bytes each; more are drawn anew for each statistic."""


@dataclass(frozen=True)
class Size:
    """How much stands behind a figure: images, and the groups that they are of; None: no image has a group."""

    images: int
    groups: int | None


@dataclass(frozen=True, eq=False)
class Resamples:
    """R draws of the G groups of n images.

    Attributes:
        group: number of each image's group: n, from 0 to G-1, each of them there; see `group_numbers`.
        draws: R.
        seed: of the run.
        grouped: whether any image has a group; if not, images are taken as independent.
    """

    group: Numbers
    draws: int
    seed: int
    grouped: bool = False

    @classmethod
    def of(cls, groups: Iterable[str | None], draws: int, seed: int) -> "Resamples":
        """Of images whose groups have these names; None: an image by itself."""
        names = list(groups)
        return cls(group_numbers(names), draws, seed, any(name is not None for name in names))

    def over(self, images: NDArray[np.bool_]) -> "Resamples":
        """As many draws of the groups of some of the images: n, True where it is one of them."""
        _, group = np.unique(self.group[images], return_inverse=True)
        return Resamples(group.astype(np.int64), self.draws, self.seed, self.grouped)

    @property
    def images(self) -> int:
        """n."""
        return len(self.group)

    @cached_property
    def groups(self) -> int:
        """G."""
        return int(self.group.max(initial=-1)) + 1

    @property
    def are_single(self) -> bool:
        """Whether every image is a group by itself."""
        return self.groups == self.images

    def size(self, present: Values | None = None) -> Size:
        """Of all images, or of those whose entry of n is not 0."""
        group = self.group if present is None else self.group[present != 0]
        return Size(len(group), len(np.unique(group)) if self.grouped else None)

    def sums(self, values: Values) -> Values:
        """Of n×K values those of each group: G×K."""
        if self.are_single:
            return values[np.argsort(self.group)]
        order = np.argsort(self.group, kind="stable")
        return np.add.reduceat(values[order], np.flatnonzero(np.diff(self.group[order], prepend=-1)), axis=0)

    def counts(self) -> Iterator[Values]:
        """How often each group was drawn, r×G, in parts that make up all draws."""
        part = max(1, CELLS_AT_ONCE // max(1, self.groups))
        if self.draws * self.groups > MAX_CELLS_KEPT:
            yield from (counts.astype(np.float64) for counts in self._drawn(part))
        else:
            for start in range(0, self.draws, part):
                yield self._kept[start : start + part].astype(np.float64)

    def image_counts(self) -> Iterator[Values]:
        """How often each image was drawn with its group, r×n, in parts that make up all draws."""
        part = max(1, CELLS_AT_ONCE // max(1, self.images))
        for counts in self.counts():
            for start in range(0, len(counts), part):
                yield counts[start : start + part, self.group]

    @cached_property
    def _kept(self) -> Counts:
        part = max(1, CELLS_AT_ONCE // max(1, self.groups))
        return np.concatenate([np.zeros((0, self.groups), np.uint16), *self._drawn(part)])

    def _drawn(self, part: int) -> Iterator[Counts]:
        generator = np.random.default_rng(seed_from("bootstrap", self.seed))
        for start in range(0, self.draws, part):
            rows = min(part, self.draws - start)
            drawn = generator.integers(0, self.groups, (rows, self.groups)) + self.groups * np.arange(rows)[:, None]
            counts = np.bincount(drawn.ravel(), minlength=rows * self.groups)
            yield counts.reshape(rows, self.groups).astype(np.uint16)
