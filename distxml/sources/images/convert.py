"""Pixels of any image file to 8-bit grey or RGB, by the recipe's rules."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from distxml.config.images import ImageRules
from distxml.sources.material import Unusable

Pixels = NDArray[np.uint8]

GREY, RGB = "L", "RGB"
LOSSLESS = {
    GREY: (GREY, None),
    RGB: (RGB, None),
    "1": (GREY, "1 bit to 8 bits per pixel"),
    "P": (RGB, "palette to RGB"),
    "RGBX": (RGB, "fourth channel dropped"),
    "YCbCr": (RGB, "YCbCr to RGB"),
}
"""Pillow's modes without a choice to be made: what they become, and what to say about it."""


@dataclass
class Converted:
    """H×W grey or H×W×3 RGB pixels, and what was done to get them, a phrase each."""

    pixels: Pixels
    done: list[str] = field(default_factory=list)


def converted(image: Image.Image, deep: NDArray[np.uint16] | None, rules: ImageRules) -> Converted:
    """The pixels of an image that was decoded to the end; not turned.

    Args:
        image: as Pillow decoded it.
        deep: H×W or H×W×C (RGB, RGBA) where the file has 16 bits per channel, of which Pillow may have dropped some.
        rules: what to do with what is not plain.

    Raises:
        Unusable: a rule leaves it out.
    """
    if deep is not None:
        return _from_deep(deep, rules)
    if image.mode == "CMYK":
        if rules.cmyk == "leave_out":
            raise Unusable("CMYK; images.cmyk=convert makes it RGB without a colour profile")
        return Converted(_array(image, RGB), ["CMYK to RGB without a colour profile"])
    if image.has_transparency_data:
        grey = image.mode in ("LA", "La", GREY, "1")
        return _laid_on(_array(image, "LA" if grey else "RGBA"), rules)
    if image.mode in LOSSLESS:
        mode, done = LOSSLESS[image.mode]
        return Converted(_array(image, mode), [done] if done else [])
    raise Unusable(f"pixels of the kind {image.mode}, for which there is no rule: convert it to 8-bit grey or RGB")


def laid_on(pixels: Pixels, background: int) -> Pixels:
    """H×W×2 (grey, alpha) or H×W×4 (RGB, alpha) laid on a uniform background, rounded: H×W or H×W×3."""
    colour, alpha = pixels[..., :-1].astype(np.uint32), pixels[..., -1:].astype(np.uint32)
    mixed = (colour * alpha + background * (255 - alpha) + 127) // 255
    return mixed.astype(np.uint8).squeeze(axis=-1) if colour.shape[-1] == 1 else mixed.astype(np.uint8)


def eight_bits(deep: NDArray[np.uint16]) -> Pixels:
    """v / 257, rounded: 0 to 65535 becomes 0 to 255."""
    return ((deep.astype(np.uint32) + 128) // 257).astype(np.uint8)


def _from_deep(deep: NDArray[np.uint16], rules: ImageRules) -> Converted:
    if rules.sixteen_bit == "leave_out":
        raise Unusable("more than 8 bits per channel: convert it by a rule that suits it, or images.sixteen_bit=scale")
    pixels = eight_bits(deep)
    done = ["16 bits per channel scaled to 8"]
    if pixels.ndim == 3 and pixels.shape[-1] in (2, 4):
        laid = _laid_on(pixels, rules)
        return Converted(laid.pixels, done + laid.done)
    return Converted(pixels, done)


def _laid_on(pixels: Pixels, rules: ImageRules) -> Converted:
    if pixels[..., -1].min() == 255:
        return Converted(laid_on(pixels, 255), ["opaque alpha dropped"])
    if rules.alpha == "leave_out":
        raise Unusable("transparent pixels; images.alpha=white or =black lays it on a background")
    background = 255 if rules.alpha == "white" else 0
    return Converted(laid_on(pixels, background), [f"transparent pixels laid on {rules.alpha}"])


def _array(image: Image.Image, mode: str) -> Pixels:
    return np.asarray(image if image.mode == mode else image.convert(mode), np.uint8)
