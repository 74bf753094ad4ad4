"""Rules for the image files of a source: what is converted, what is left out."""

from typing import Literal

from pydantic import Field

from distxml.config.base import Settings


class ImageRules(Settings):
    """What becomes of image files that are not plain 8-bit grey or RGB; each decision is listed with its reason."""

    sixteen_bit: Literal["leave_out", "scale"] = "leave_out"
    """16 bits per channel: leave the image out, or scale their full range (0 to 65535) to 0 to 255, rounded."""
    cmyk: Literal["convert", "leave_out"] = "convert"
    """CMYK: convert to RGB without a colour profile, or leave out."""
    alpha: Literal["white", "black", "leave_out"] = "white"
    """Transparent pixels: lay the image on white or on black, or leave it out. Alpha that is opaque is dropped."""
    exif_rotated: Literal["leave_out", "upright"] = "leave_out"
    """An image that viewers turn: leave it out, or turn it for good; masks and boxes are then taken to be upright."""
    max_pixels: int = Field(default=100_000_000, ge=1, le=178_956_970)
    """Larger images (width times height) are left out before they are decoded; Pillow refuses more than the limit."""
    max_left_out: float = Field(default=0.5, ge=0, le=1)
    """The build fails where more than this share of the images that the source lists cannot be used."""
