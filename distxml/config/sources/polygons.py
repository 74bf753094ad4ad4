"""Settings of the polygons source."""

from typing import Literal

from pydantic import Field, model_validator

from distxml.config.base import Settings


class PolygonsSource(Settings):
    """Synthetic images of circles; in the positive half, one triangle among them with its box as the mask."""

    kind: Literal["polygons"]
    images: int = Field(default=1000, ge=1)
    """Images to draw."""
    image_size: int = Field(default=64, ge=16)
    """Height and width in pixels."""
    circles: tuple[int, int] = (3, 5)
    """Fewest and most circles an image; in a positive one the triangle takes the place of one of them."""
    radius: tuple[float, float] = (0.08, 0.14)
    """Smallest and largest radius of a circle, as a share of the image's side; a triangle has a circle's area."""
    positive_share: float = Field(default=0.5, ge=0, le=1)
    """Share of the images that hold a triangle."""
    noise: float = Field(default=0.03, ge=0, le=1)
    """Standard deviation of Gaussian noise, in units of the full range [0, 1]."""

    @model_validator(mode="after")
    def _ranges(self) -> "PolygonsSource":
        for name, (low, high) in (("circles", self.circles), ("radius", self.radius)):
            if not 0 <= low <= high:
                raise ValueError(f"{name}: [{low}, {high}] is not a range of non-negative numbers")
        if self.circles[0] < 1:
            raise ValueError("circles: the fewest must be at least 1, because the triangle takes a circle's place")
        if self.radius[0] * self.image_size < 1:
            raise ValueError(f"radius: {self.radius[0]} of {self.image_size} pixels is less than one pixel")
        if not 0 < self.radius[1] <= 0.25:
            raise ValueError(f"radius: {self.radius[1]} must be above 0 and at most 0.25 of the image's side")
        return self
