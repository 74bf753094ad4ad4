"""Outlines of objects as COCO writes them, polygons or run lengths, and the pixels that they hold."""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as coco_masks

from distxml.sources.material import Unusable
from distxml.sources.raster import Box, inside_polygon, size_in_words

COMPRESSED = re.compile(r"(?:[P-o]{0,5}[0-O])*")
"""Compressed run lengths: `P` to `o` are digits with more behind them, `0` to `O` end a number. pycocotools does not
check that, and puts numbers together in 32 bits, which six digits fill."""


@dataclass(frozen=True, slots=True)
class Polygons:
    """Closed outlines, their union; each as x, y, x, y, ... in pixels, the image's corner at 0, 0."""

    outlines: tuple[tuple[float, ...], ...]

    def extents(self) -> list[Box]:
        """The smallest box around each outline."""
        return [Box(min(one[::2]), min(one[1::2]), max(one[::2]), max(one[1::2])) for one in self.outlines]

    def fill(self, width: int, height: int) -> NDArray[np.bool_]:
        """H×W, true where the middle of the pixel is inside an outline (inside once, thrice: even-odd)."""
        inside = np.zeros((height, width), bool)
        for outline in self.outlines:
            inside |= inside_polygon(np.asarray(outline, np.float64).reshape(-1, 2), width, height)
        return inside


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
            Unusable: they are for another size, do not add up to it, or are no run lengths.
        """
        if self.size != (height, width):
            theirs = size_in_words((self.size[1], self.size[0]))
            raise Unusable(f"its run lengths are for {theirs} pixels, but the image has {width}x{height}")
        text = self._text(width * height)
        filled = _decoded(text, height, width)
        # pycocotools stops where runs exceed the image, but returns whatever lies in memory where they fall short of
        # it: they add up if they are too many for an image that is one pixel smaller.
        if filled is None or _decoded(text, height * width - 1, 1) is not None:
            raise _not_that_many(width, height)
        return filled

    def _text(self, pixels: int) -> bytes:
        """The compressed text; nothing reaches C code that it does not expect."""
        if isinstance(self.counts, str):
            if not COMPRESSED.fullmatch(self.counts):
                raise Unusable("its compressed run lengths cannot be read")
            return self.counts.encode("ascii")
        height, width = self.size
        if min(self.counts, default=0) < 0 or sum(self.counts) != pixels:
            raise _not_that_many(width, height)
        plain: Any = {"size": [height, width], "counts": list(self.counts)}  # the stubs know its compressed form alone
        return coco_masks.frPyObjects(plain, height, width)["counts"]


Outline = Polygons | RunLengths


def _not_that_many(width: int, height: int) -> Unusable:
    return Unusable(f"its run lengths do not add up to {width}x{height} pixels")


def _decoded(text: bytes, height: int, width: int) -> NDArray[np.bool_] | None:
    """H×W; None where the runs exceed it."""
    try:
        return coco_masks.decode({"size": [height, width], "counts": text}).astype(bool)
    except ValueError:
        return None
