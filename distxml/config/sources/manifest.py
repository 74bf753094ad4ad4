"""Settings of the CSV manifest."""

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from distxml.config.base import Settings
from distxml.config.sources.rules import BoxOutsideImage, ClassNames


class ManifestColumns(Settings):
    """What the manifest calls its columns; `image` and `label` must be there, the others may be."""

    image: str = "image"
    """Path of the image."""
    label: str = "label"
    """Name of the class."""
    mask: str = "mask"
    """Path of the mask; empty: not annotated."""
    boxes: str = "boxes"
    """Boxes `xmin ymin xmax ymax; ...`; `none`: annotated, nothing there; empty: not annotated."""
    split: str = "split"
    """`train`, `val`, `test`, or empty: the recipe's shares decide."""
    group: str = "group"
    """The patient or scene, whose images never come into different splits; empty: an image on its own."""

    @model_validator(mode="after")
    def _each_its_own(self) -> "ManifestColumns":
        names: list[str] = list(self.model_dump().values())
        if len(set(names)) < len(names):
            raise ValueError("two of the columns have the same name")
        return self


class ManifestSource(Settings):
    """A CSV file with one image per row."""

    kind: Literal["manifest"]
    table: Path
    """The CSV file, in UTF-8, its columns named in the first line."""
    root: Path | None = None
    """Folder that the paths in the table start from and must not leave. Unset: the table's own folder."""
    columns: ManifestColumns = ManifestColumns()
    """What the columns are called."""
    other_columns: Literal["fail", "ignore"] = "fail"
    """A column of another name: fail, because it may be a misspelt `group`; or ignore it."""
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    """Character between two cells."""
    classes: ClassNames = None
    """Labels that are classes, in label order; rows of others are left out. Unset: every label, sorted."""
    box_outside_image: BoxOutsideImage = "fail"
    """A box that reaches outside its image: fail, cut it off at the border, or leave the image out."""
