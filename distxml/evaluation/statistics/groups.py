"""The groups (patients) of the images that figures are over: what intervals and tests take for independent."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from distxml.data.groups import Numbers, group_numbers

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Size:
    """How much stands behind a figure: images, and the groups that they are of; None: no image has a group."""

    images: int
    groups: int | None


@dataclass(frozen=True, eq=False)
class Groups:
    """G groups of n images.

    Attributes:
        number: of each image's group: n, from 0 to G-1, each of them there; see `group_numbers`.
        named: whether any image has a group; if not, each image is one, and they are taken as independent.
    """

    number: Numbers
    named: bool = False

    @classmethod
    def of(cls, names: Iterable[str | None]) -> "Groups":
        """Of images whose groups have these names; None: an image by itself."""
        names = list(names)
        return cls(group_numbers(names), any(name is not None for name in names))

    def over(self, images: NDArray[np.bool_]) -> "Groups":
        """Those of some of the images: n, True where it is one of them."""
        _, number = np.unique(self.number[images], return_inverse=True)
        return Groups(number.astype(np.int64), self.named)

    @property
    def images(self) -> int:
        """n."""
        return len(self.number)

    @cached_property
    def count(self) -> int:
        """G."""
        return int(self.number.max(initial=-1)) + 1

    def size(self, present: Values | None = None) -> Size:
        """Of all images, or of those whose entry of n is not 0."""
        number = self.number if present is None else self.number[present != 0]
        return Size(len(number), len(np.unique(number)) if self.named else None)

    def sums(self, values: Values) -> Values:
        """Of n×K values those of each group: G×K."""
        order = np.argsort(self.number, kind="stable")
        if self.count == self.images:
            return values[order]
        return np.add.reduceat(values[order], np.flatnonzero(np.diff(self.number[order], prepend=-1)), axis=0)
