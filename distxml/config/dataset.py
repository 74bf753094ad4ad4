"""Settings of `distxml data build`: where raw material comes from and how it is split."""

from pathlib import Path
from typing import Annotated, Literal

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


class VocSource(Settings):
    """A Pascal VOC dataset: images and one XML of boxes an image."""

    kind: Literal["voc"]
    images: Path
    """Folder of the images."""
    annotations: Path
    """Folder of the XML files; an XML belongs to the image that bears its name or that it names."""
    classes: tuple[str, ...] | None = None
    """Object names that are classes, in label order; other objects are ignored. Unset: every name found, sorted."""
    several_classes: Literal["leave_out", "largest", "fail"] = "leave_out"
    """An image with objects of several classes: leave it out, take the class of the largest total box area, or fail."""
    no_objects: Literal["leave_out", "fail"] = "leave_out"
    """An image without an object of any class: leave it out, or fail."""
    box_outside_image: Literal["fail", "clip", "leave_out"] = "fail"
    """A box that reaches outside its image: fail, cut it off at the border, or leave the image out."""


Source = Annotated[PolygonsSource | VocSource, Field(discriminator="kind")]


class SplitSettings(Settings):
    """Shares of the images; stratified by class and seeded."""

    train: float = Field(default=0.68, gt=0, lt=1)
    """Share that trains (the paper's 85/15, then 80/20)."""
    val: float = Field(default=0.17, gt=0, lt=1)
    """Share that validates."""
    test: float = Field(default=0.15, gt=0, lt=1)
    """Share that is scored in the end."""

    @model_validator(mode="after")
    def _sum_to_one(self) -> "SplitSettings":
        total = self.train + self.val + self.test
        if abs(total - 1) > 1e-6:
            raise ValueError(f"train + val + test is {total:g}; it must be 1")
        return self


class DatasetRecipe(Settings):
    """How a Parquet dataset is made from raw material."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._ -]*$")
    """Name of the dataset, for reports."""
    seed: int = Field(default=0, ge=0)
    """Seed of the splits and of generated images."""
    source: Source
    """The raw material."""
    splits: SplitSettings = SplitSettings()
    """How the images are divided."""
    rows_per_shard: int = Field(default=256, ge=1)
    """Images in one Parquet file."""
