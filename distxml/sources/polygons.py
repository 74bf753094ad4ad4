"""The polygons dataset: circles, and in the positive images one triangle among them."""

from dataclasses import dataclass

import numpy as np

from distxml.config.sources import PolygonsSource
from distxml.sources.material import RawMaterial, Row
from distxml.sources.png import mask_png, rgb_png
from distxml.sources.polygon_drawing import draw

CLASSES = ("circles", "triangle")


@dataclass(frozen=True)
class PolygonItem:
    """Image number `index`; label 1 has a triangle."""

    settings: PolygonsSource
    seed: int
    index: int
    label: int

    @property
    def key(self) -> str:
        """Such as `polygons-000123`."""
        return f"polygons-{self.index:06d}"

    def row(self) -> Row:
        """Draws the image and its mask, all black without a triangle."""
        drawing = draw(self.settings, self.seed, self.index, with_triangle=self.label == 1)
        return Row(self.key, self.label, rgb_png(drawing.image), f"{self.key}.png", mask_png(drawing.mask))


def polygons_material(settings: PolygonsSource, seed: int) -> RawMaterial:
    """`settings.images` images, exactly the positive share of them (rounded) with a triangle."""
    positives = round(settings.positive_share * settings.images)
    order = np.random.default_rng(seed).permutation(settings.images)
    labels = np.zeros(settings.images, int)
    labels[order[:positives]] = 1
    items = [PolygonItem(settings, seed, index, int(label)) for index, label in enumerate(labels)]
    return RawMaterial(CLASSES, items)
