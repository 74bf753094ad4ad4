"""Draws one image of the polygons dataset."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from distxml.config.sources import PolygonsSource
from distxml.config.sources.polygons import DARKEST, LIGHTEST
from distxml.errors import UserError
from distxml.sources.polygons.layout import NoRoom, Scene, choose_scene
from distxml.sources.polygons.shapes import Shape, coverage, outline
from distxml.sources.raster import Box, box_mask, polygon_mask


@dataclass(frozen=True)
class DrawnImage:
    """An image, its region of interest, and what is in it.

    Attributes:
        image: H×W×3 uint8, RGB.
        mask: H×W uint8, 255 in the region of interest, 0 elsewhere.
        scene: the shapes.
    """

    image: NDArray[np.uint8]
    mask: NDArray[np.uint8]
    scene: Scene


def draw(settings: PolygonsSource, seed: int, index: int, positive: bool) -> DrawnImage:
    """Image number `index`; a function of the arguments alone.

    Args:
        settings: of the dataset.
        seed: of the recipe.
        index: the image's number.
        positive: whether it has a target that counts.

    Raises:
        UserError: no places were found at which the shapes lie apart.
    """
    rng = np.random.default_rng([seed, index])
    side = settings.image_size
    random_background = rng.uniform(DARKEST, LIGHTEST, size=3)
    background = random_background if settings.background is None else np.array(settings.background)
    try:
        scene = choose_scene(settings, rng, positive, background)
    except NoRoom:
        raise UserError(
            f"source.shapes: image {index}: no room was found for shapes that lie apart; "
            "set source.overlap=true, fewer source.shapes or a smaller source.radius"
        ) from None
    canvas = np.full((side, side, 3), background)
    for shape in scene.bottom_up:
        canvas += coverage(shape, side)[..., None] * (shape.colour - canvas)
    canvas += rng.normal(0, settings.noise, size=canvas.shape)
    return DrawnImage(np.rint(np.clip(canvas, 0, 1) * 255).astype(np.uint8), _mask(settings, scene), scene)


def pixel_box(shape: Shape, side: int) -> Box | None:
    """The bounding box, in whole pixels, of those that the shape covers, however little; None where it covers none."""
    rows, columns = np.nonzero(coverage(shape, side))
    if not len(rows):
        return None
    return Box(int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1)


def _mask(settings: PolygonsSource, scene: Scene) -> NDArray[np.uint8]:
    side = settings.image_size
    if scene.region is None:
        return np.zeros((side, side), np.uint8)
    if settings.mask == "polygon":
        return polygon_mask(outline(scene.region), side, side)
    box = pixel_box(scene.region, side)
    return box_mask([] if box is None else [box], side, side)
