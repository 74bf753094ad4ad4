"""Settings of ImageNet-HVZ: horses and zebras of ImageNet that have boxes."""

from pathlib import Path
from typing import Literal

from distxml.config.base import Settings
from distxml.config.sources.rules import BoxOutsideImage, MissingMask


class HvzSource(Settings):
    """ImageNet-HVZ out of an ImageNet tree: the synsets n02389026 (horse) and n02391049 (zebra)."""

    kind: Literal["imagenet_hvz"]
    images: Path
    """Folder that holds the folders n02389026 and n02391049 of images."""
    annotations: Path
    """Folder that holds the folders n02389026 and n02391049 of XML files."""
    other_size: Literal["scale", "leave_out"] = "scale"
    """An XML that states another size than the image has, as ImageNet's do: scale its boxes, or leave the image out."""
    box_outside_image: BoxOutsideImage = "clip"
    """A box that reaches outside its image: fail, cut it off at the border, or leave the image out."""


class HvzFlatSource(Settings):
    """ImageNet-HVZ in its flat layout: `data.csv`, `images/CLASS` and `masks/CLASS`."""

    kind: Literal["imagenet_hvz_flat"]
    folder: Path
    """Folder that holds `data.csv`, `images` and `masks`."""
    missing_mask: MissingMask = "leave_out"
    """An image without a mask: take it as not annotated, leave it out, or fail."""
