"""Settings of the Pascal VOC source."""

from pathlib import Path
from typing import Literal

from distxml.config.base import Settings


class VocSource(Settings):
    """A Pascal VOC dataset: images and one XML of boxes per image."""

    kind: Literal["voc"]
    images: Path
    """Folder of the images."""
    annotations: Path
    """Folder of the XML files; an XML belongs to the image that bears its name or that it names."""
    classes: tuple[str, ...] | None = None
    """Object names that are classes, in label order; other objects are ignored. Unset: every name found, sorted."""
    several_classes: Literal["leave_out", "largest", "fail"] = "leave_out"
    """An image with objects of several classes: leave it out, take the class of the largest total box area, or fail."""
    negative: str | None = None
    """Name of one more class, the first: images whose XML has no object of a class; their mask is empty."""
    no_objects: Literal["leave_out", "fail"] = "leave_out"
    """An image without an object of any class, where no `negative` is named: leave it out, or fail."""
    box_outside_image: Literal["fail", "clip", "leave_out"] = "fail"
    """A box that reaches outside its image: fail, cut it off at the border, or leave the image out."""
    boxes_count_from: Literal[0, 1] = 0
    """What the first pixel is called: 0, and `xmax`, `ymax` are no longer inside; or 1, and they are, as in Pascal VOC.

    With 1 a box covers the pixels from `xmin - 1` up to but without `xmax`, as counted from 0, and a polygon's points
    are the middles of the pixels that they name.
    """
    region: Literal["polygon", "box"] = "polygon"
    """The mask of an object that has a polygon: the polygon, or its box like all others."""
