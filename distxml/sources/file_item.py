"""`FileItem`: an image file with its annotation; what all sources of files hand to the builder."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from distxml.config.images import ImageRules
from distxml.data.schema import Split
from distxml.errors import UserError
from distxml.sources.images.check import prepare_image
from distxml.sources.images.memory import memory_ran_out
from distxml.sources.images.png import mask_png
from distxml.sources.material import Row


class Annotation(Protocol):
    """Where the region of interest of one image is; small, and can be sent to another process."""

    def mask(self, width: int, height: int) -> NDArray[np.uint8]:
        """H×W, 255 inside and 0 outside, for the image of that size.

        Raises:
            Unusable: it does not suit the image, which must be left out.
            UserError: the build must stop.
        """
        ...


@dataclass(frozen=True)
class FileItem:
    """An image file; see `Item`. Without an annotation its mask is null: not annotated."""

    path: Path
    name: str
    key: str
    label: int
    annotation: Annotation | None = None
    group: str | None = None
    split: Split | None = None

    def row(self, rules: ImageRules) -> Row:
        """Reads and checks the file and its annotation.

        Raises:
            Unusable: it must be left out.
            UserError: the build must stop; so it must where memory runs out, which is no verdict on the image.
        """
        try:
            return self._row(rules)
        except (MemoryError, cv2.error) as error:
            if not memory_ran_out(error):
                raise
        remedy = "fewer --workers, or lower images.most_pixels"
        raise UserError(f"not enough memory for {self.name}; {remedy}")

    def _row(self, rules: ImageRules) -> Row:
        image = prepare_image(self.path, rules)
        mask = None if self.annotation is None else mask_png(self.annotation.mask(image.width, image.height))
        return Row(self.key, self.label, image.content, image.name, mask, image.remark)
