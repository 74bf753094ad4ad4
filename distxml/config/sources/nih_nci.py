"""Settings of the NIH-NCI cervix images."""

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from distxml.config.base import Settings
from distxml.config.sources.rules import MissingMask


class NihNciSource(Settings):
    """The NIH-NCI cervical cancer images: one folder a study, each with its table; divided by patient."""

    kind: Literal["nih_nci"]
    folder: Path
    """Folder that holds the studies' folders."""
    studies: tuple[str, ...] = Field(default=("ALTS", "Biopsy", "CVT", "NHS"), min_length=1)
    """Folders of the studies."""
    table: str = "covariate_data.xls"
    """Name of each study's table: `.xls`, or `.csv` in UTF-8."""
    header_row: int = Field(default=5, ge=1)
    """Row of the table that names its columns, counted from 1."""
    healthy: tuple[int, ...] = (0, 1)
    """Codes of the worst histology that are healthy: below CIN2."""
    cancer: tuple[int, ...] = (2, 3, 4)
    """Codes of the worst histology that are cancer: CIN2 and worse."""
    no_histology: Literal["leave_out", "healthy"] = "leave_out"
    """A worst histology of -1 or -2 (none is known): leave the image out, or take it as healthy, as the paper does."""
    missing_mask: MissingMask = "leave_out"
    """An image without a mask: take it as not annotated, leave it out, or fail."""

    @model_validator(mode="after")
    def _plain_names_and_distinct_codes(self) -> "NihNciSource":
        for name in (*self.studies, self.table):
            if name in ("", ".", "..") or "/" in name or "\\" in name:
                raise ValueError(f"{name!r} must be a name, not a path")
        if len(set(self.studies)) < len(self.studies):
            raise ValueError(f"studies: a name comes twice in {', '.join(self.studies)}")
        both = sorted(set(self.healthy) & set(self.cancer))
        if both:
            raise ValueError(f"histology {both[0]} cannot be in both healthy and cancer")
        missing = sorted({-1, -2} & {*self.healthy, *self.cancer})
        if missing:
            raise ValueError(
                f"histology {missing[0]} means missing and cannot be in healthy or cancer (see no_histology)"
            )
        return self
