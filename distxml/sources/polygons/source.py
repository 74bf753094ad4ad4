"""The polygons dataset: is there a target among the shapes?"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from distxml.config.images import ImageRules
from distxml.config.sources import PolygonsSource
from distxml.config.sources.polygon_figures import figure_of
from distxml.data.schema import Split
from distxml.sources.images.png import mask_png, rgb_png
from distxml.sources.material import RawMaterial, SourceRow
from distxml.sources.polygons.drawing import DrawnImage, draw

COIN = 2
"""Tells the random number that chooses an image's class from those that draw it."""


@dataclass(frozen=True)
class PolygonItem:
    """Image number `index`; label 1 has a target that counts."""

    settings: PolygonsSource
    seed: int
    index: int
    label: int
    group: str | None = None
    split: Split | None = None

    @property
    def key(self) -> str:
        """Such as `polygons-000123`."""
        return f"polygons-{self.index:06d}"

    @property
    def name(self) -> str:
        """The file's name."""
        return f"{self.key}.png"

    def drawing(self) -> DrawnImage:
        """The image, its mask and its shapes."""
        return draw(self.settings, self.seed, self.index, positive=self.label == 1)

    def row(self, rules: ImageRules) -> SourceRow:
        """Draws the image and its mask, all black without a target that counts."""
        del rules  # they are for files
        drawing = self.drawing()
        return SourceRow(self.key, self.label, rgb_png(drawing.image), self.name, mask_png(drawing.mask))


def class_names(settings: PolygonsSource) -> tuple[str, str]:
    """Such as `circles` and `triangle`, `no square` and `square`, `no square in circle` and `square in circle`."""
    positive = figure_of(settings.target).name
    if settings.outer is not None:
        positive = f"{positive} in {figure_of(settings.outer).name}"
    return ("circles" if settings.simplified else f"no {positive}"), positive


def polygons_material(settings: PolygonsSource, seed: int) -> RawMaterial:
    """`settings.images` images, as many of them positive as the settings say."""
    return RawMaterial(class_names(settings), polygon_items(settings, seed), drawn=True)


def polygon_items(settings: PolygonsSource, seed: int) -> list[PolygonItem]:
    """The images in the order of their numbers."""
    return [
        PolygonItem(settings, seed, settings.start_index + number, int(label))
        for number, label in enumerate(_labels(settings, seed))
    ]


def _labels(settings: PolygonsSource, seed: int) -> NDArray[np.bool_]:
    if settings.targets == "random":
        indices = range(settings.start_index, settings.start_index + settings.images)
        chances = [np.random.default_rng([seed, index, COIN]).random() for index in indices]
        return np.array(chances) < settings.positive_share
    positives = round(settings.positive_share * settings.images) if settings.targets is None else settings.targets
    labels = np.zeros(settings.images, bool)
    labels[np.random.default_rng(seed).permutation(settings.images)[:positives]] = True
    return labels
