"""Settings of class folders."""

from pathlib import Path
from typing import Literal

from distxml.config.base import Settings
from distxml.config.sources.rules import ClassNames, GroupPattern, MissingMask


class FoldersSource(Settings):
    """One folder of images per class, with or without masks."""

    kind: Literal["folders"]
    folder: Path
    """Folder that holds one folder per class."""
    split_folders: bool = False
    """Whether `folder` holds `train`, `test` and perhaps `val`, and each of them one folder per class."""
    classes: ClassNames = None
    """Folders that are classes, in label order; others are ignored. Unset: every folder, sorted by name."""
    masks: Path | None = None
    """Folder of the masks, laid out as the images are. Unset: beside the images, or none (see `mask_suffix`)."""
    mask_suffix: str = ""
    """What a mask's name adds to that of its image: with `_mask`, `a_mask.png` belongs to `a.jpg`."""
    missing_mask: MissingMask = "not_annotated"
    """Where there are masks, an image without one: take it as not annotated, leave it out, or fail."""
    group_pattern: GroupPattern | None = None
    """Regular expression that finds the group (the patient) in the path below the class folder, such as `^(P\\d+)_`."""

    @property
    def has_masks(self) -> bool:
        """Whether there are masks to look for."""
        return self.masks is not None or self.mask_suffix != ""
