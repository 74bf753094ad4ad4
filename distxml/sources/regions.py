"""Where the region of interest of an image is, as files say it: in a mask, or by boxes in pixels."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NoReturn, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image

from distxml.config.sources.rules import BoxOutsideImage, MissingMask
from distxml.errors import UserError
from distxml.sources.files import read_image
from distxml.sources.images.check import opened
from distxml.sources.material import Missing, Unusable
from distxml.sources.raster import Box, Size, box_mask, size_in_words

INSIDE_ABOVE = 127
MAX_COLOUR = 64
"""By how much the channels of a grey mask may differ, which JPEG changes a little."""


class Region(Protocol):
    """Small, and can be sent to another process; nothing is read before `mask` is called."""

    def mask(self, width: int, height: int) -> NDArray[np.uint8]:
        """H×W, 255 inside and 0 outside, for the image of that size.

        Raises:
            Unusable: it does not suit the image, which must be left out.
            UserError: the build must stop.
        """
        ...


@dataclass(frozen=True)
class MaskFile:
    """An image whose pixels above 127 are the region; `name` is what messages call it."""

    path: Path
    name: str

    def mask(self, width: int, height: int) -> NDArray[np.uint8]:
        """H×W, 255 inside and 0 outside; its header is checked before it is decoded.

        Raises:
            Unusable: it cannot be decoded or does not suit the image.
            UserError: the file cannot be read.
            MemoryError: there is not enough memory for it.
        """
        content = read_image(self.path)
        try:
            grey = _grey_of(content, (width, height))
        except Unusable as reason:
            raise Unusable(f"mask {self.name} {reason}") from None
        if 0 < grey.max() <= INSIDE_ABOVE:
            raise Unusable(f"mask {self.name}: its brightest value is {grey.max()}, but inside means above 127")
        return np.where(grey > INSIDE_ABOVE, np.uint8(255), np.uint8(0))


@dataclass(frozen=True)
class BoxRegion:
    """The union of boxes.

    Attributes:
        where: the file and place that the boxes come from, for messages.
        boxes: in pixels of an image of `drawn_on`, or of the image itself.
        outside: what to do about a box that reaches outside the image.
        drawn_on: width and height that the boxes are for; None: not stated.
        scale: whether boxes for another size are scaled; else the image is left out.
    """

    where: str
    boxes: tuple[Box, ...]
    outside: BoxOutsideImage
    drawn_on: Size | None = None
    scale: bool = False

    def mask(self, width: int, height: int) -> NDArray[np.uint8]:
        """H×W, 255 inside and 0 outside; a pixel that a box cuts is inside."""
        boxes = self._scaled((width, height))
        return box_mask([box_inside(box, (width, height), self.outside, self.where) for box in boxes], width, height)

    def _scaled(self, size: Size) -> tuple[Box, ...]:
        if self.drawn_on is None or self.drawn_on == size:
            return self.boxes
        if not self.scale or not _same_shape(self.drawn_on, size):
            stated = size_in_words(self.drawn_on)
            raise Unusable(f"its boxes are for {stated} pixels, but the image has {size_in_words(size)}")
        across, down = size[0] / self.drawn_on[0], size[1] / self.drawn_on[1]
        return tuple(Box(box.xmin * across, box.ymin * down, box.xmax * across, box.ymax * down) for box in self.boxes)


def box_inside(
    box: Box, size: Size, rule: BoxOutsideImage, where: str, *, name: str | None = None, hint: str = ""
) -> Box:
    """The box, cut off at the border of the image of `size` where the rule says so.

    Args:
        box: in pixels of the image.
        size: of the image.
        rule: what to do where it reaches outside.
        where: file and place that it comes from, for messages.
        name: what messages call it; None: by its corners.
        hint: another remedy, to add to the message where the rule is to fail.

    Raises:
        Unusable: the image must be left out.
        UserError: the rule is to fail.
    """
    clipped = box.clipped(size)
    if clipped == box:
        return box
    name = name or f"box {box}"
    if rule != "clip":
        reason = f"{name} reaches outside the image of {size_in_words(size)} pixels"
        fail_or_leave_out(rule, where, reason, f"source.box_outside_image=clip or =leave_out{hint}")
    if clipped.is_empty:
        raise Unusable(f"{name} lies wholly outside the image of {size_in_words(size)} pixels")
    return clipped


def fail_or_leave_out(rule: Literal["fail", "leave_out"], where: str, reason: str, remedy: str) -> NoReturn:
    """Does what the recipe's rule says about an image; `remedy` is what to set so that the build does not fail.

    Args:
        rule: the recipe's.
        where: file and place, for messages.
        reason: what is wrong with the image.
        remedy: what to set so that the build does not fail.

    Raises:
        Unusable: the image must be left out, for that reason.
        UserError: the rule is to fail.
    """
    if rule == "fail":
        raise UserError(f"{where}: {reason}; mend the file or set {remedy}")
    raise Unusable(reason)


def without_mask(rule: MissingMask, where: str) -> None:
    """What an image without a mask means: nothing was annotated, unless the rule says otherwise.

    Raises:
        Missing: the image must be left out.
        UserError: the rule is to fail.
    """
    if rule == "fail":
        remedy = "add it or set source.missing_mask=leave_out or =not_annotated"
        raise UserError(f"{where}: no mask belongs to it; {remedy}")
    if rule == "leave_out":
        raise Missing("no mask belongs to it")


def _same_shape(one: Size, other: Size) -> bool:
    """Whether one is the other made larger or smaller; the sides are whole pixels, so they may be off by one."""
    if min(*one, *other) < 1:
        return False
    larger, smaller = (one, other) if one[0] >= other[0] else (other, one)
    return abs(larger[1] * smaller[0] / larger[0] - smaller[1]) <= 1


def _grey_of(content: bytes, size: Size) -> NDArray[np.uint8]:
    """A mask's one channel, H×W; only the kinds of files that images may be are opened.

    Raises:
        Unusable: the message is to stand behind the mask's name.
    """
    if not content:
        raise Unusable("cannot be decoded (empty file)")
    with opened(content) as image:
        _require_like(image, size)
        return _grey(image)


def _require_like(image: Image.Image, size: Size) -> None:
    if image.size != size:
        raise Unusable(f"has {size_in_words(image.size)} pixels, but the image has {size_in_words(size)}")
    frames = getattr(image, "n_frames", 1)
    if frames > 1:
        raise Unusable(f"holds {frames} images (frames or pages); save the one that is meant in a file of its own")
    if image.mode.startswith(("I", "F")):
        raise Unusable("has more than 8 bits per channel; write 0 and 255")
    if image.getexif().get(ExifTags.Base.Orientation, 1) != 1:
        raise Unusable("is turned by EXIF; write it upright")


def _grey(image: Image.Image) -> NDArray[np.uint8]:
    """One channel; what has no one meaning as a mask is refused."""
    if image.has_transparency_data and np.asarray(image.convert("RGBA"))[..., 3].min() < 255:
        raise Unusable("is transparent in parts; write black and white")
    if image.mode in ("1", "L", "LA"):
        return np.asarray(image.convert("L"))
    colour = np.asarray(image.convert("RGB"))
    if int((colour.max(axis=2) - colour.min(axis=2)).max()) > MAX_COLOUR:
        raise Unusable("is coloured; write black and white")
    return np.asarray(image.convert("RGB").convert("L"))
