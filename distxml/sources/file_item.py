"""`FileItem`: an image file with its region of interest; what all sources of files hand to the builder."""

from dataclasses import dataclass
from pathlib import Path

import cv2

from distxml.config.images import ImageRules
from distxml.data.schema import Split
from distxml.errors import UserError
from distxml.sources.images.check import prepare_image
from distxml.sources.images.memory import memory_ran_out
from distxml.sources.images.png import mask_png
from distxml.sources.material import SourceRow
from distxml.sources.regions import Region


@dataclass(frozen=True)
class FileItem:
    """An image file; see `Item`. Without a region its mask is null: not annotated."""

    path: Path
    name: str
    key: str
    label: int
    region: Region | None = None
    group: str | None = None
    split: Split | None = None

    def row(self, rules: ImageRules) -> SourceRow:
        """Reads and checks the file and its region of interest.

        Raises:
            Unusable: it must be left out.
            UserError: the build must stop; so it must where memory runs out, which says nothing about the image.
        """
        try:
            return self._row(rules)
        except (MemoryError, cv2.error) as error:
            if not memory_ran_out(error):
                raise
        remedy = "fewer --workers, or lower images.max_pixels"
        raise UserError(f"not enough memory for {self.name}; {remedy}")

    def _row(self, rules: ImageRules) -> SourceRow:
        image = prepare_image(self.path, rules)
        mask = None if self.region is None else mask_png(self.region.mask(image.width, image.height))
        return SourceRow(self.key, self.label, image.content, image.name, mask, image.remark, self.group)
