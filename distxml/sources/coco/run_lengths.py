"""Outlines of objects as COCO writes them, polygons or run lengths, and the pixels that they hold."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from distxml.sources.material import Unusable
from distxml.sources.raster import Polygons

MAX_DIGITS = 7
"""Characters of a number in compressed run lengths; more would not fit 32 bits."""


@dataclass(frozen=True, slots=True)
class RunLengths:
    """Lengths of runs, outside and inside by turns and outside first, down the columns from the left."""

    size: tuple[int, int]
    """Height and width, in COCO's order."""
    counts: tuple[int, ...] | str
    """The lengths, or their compressed text."""

    def fill(self, width: int, height: int) -> NDArray[np.bool_]:
        """H×W, true inside.

        Raises:
            Unusable: they are for another size, or do not add up to it.
        """
        if self.size != (height, width):
            theirs = f"{self.size[1]}x{self.size[0]}"
            raise Unusable(f"its run lengths are for {theirs} pixels, but the image has {width}x{height}")
        counts = decompress(self.counts) if isinstance(self.counts, str) else self.counts
        if min(counts, default=0) < 0 or sum(counts) != width * height:
            raise Unusable(f"its run lengths do not add up to {width}x{height} pixels")
        inside = np.arange(len(counts)) % 2 == 1
        return np.repeat(inside, np.asarray(counts, np.int64)).reshape(width, height).T


Outline = Polygons | RunLengths


def decompress(text: str) -> tuple[int, ...]:
    """Run lengths out of their compressed text.

    Six bits a character, from `0` on: five of the number, lowest first, and whether more follow; the last one's
    highest bit is the sign. From the fourth number on each is the difference to the last but one.

    Raises:
        Unusable: it is not such a text.
    """
    counts: list[int] = []
    number = digits = 0
    for character in text:
        code = ord(character) - ord("0")
        if not 0 <= code < 64 or digits >= MAX_DIGITS:
            raise Unusable("its compressed run lengths cannot be read")
        number |= (code & 31) << (5 * digits)
        digits += 1
        if code & 32:
            continue
        if code & 16:
            number -= 1 << (5 * digits)
        counts.append(number + (counts[-2] if len(counts) > 2 else 0))
        number = digits = 0
    if digits:
        raise Unusable("its compressed run lengths end in the middle of a number")
    return tuple(counts)
