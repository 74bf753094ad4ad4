"""Settings of the COCO source."""

from pathlib import Path
from typing import Literal

from distxml.config.base import Settings
from distxml.config.sources.rules import BoxOutsideImage, ClassNames, GroupPattern


class CocoSource(Settings):
    """A COCO detection dataset: images and one JSON of objects."""

    kind: Literal["coco"]
    images: Path
    """Folder that the file names in the JSON start from and must not leave."""
    annotations: Path
    """The JSON file, such as `instances_train2017.json`."""
    region: Literal["boxes", "segmentation"] = "boxes"
    """The region of interest: the boxes of the class's objects, or their outlines."""
    crowds: Literal["use", "ignore"] = "use"
    """Regions marked `iscrowd` (many objects in one): use them like an object, or ignore them."""
    classes: ClassNames = None
    """Categories that are classes, in label order; others are ignored. Unset: every one that has objects, by id."""
    several_classes: Literal["leave_out", "largest", "fail"] = "leave_out"
    """An image with objects of several classes: leave it out, take the class of the largest total box area, or fail."""
    no_objects: Literal["leave_out", "fail"] = "leave_out"
    """An image without an object of any class: leave it out, or fail."""
    box_outside_image: BoxOutsideImage = "clip"
    """A box or outline that reaches outside its image: fail, cut it off at the border, or leave the image out."""
    group_pattern: GroupPattern | None = None
    """Regular expression that finds the group (the patient) in the image's file name, such as `^(P\\d+)_`."""
