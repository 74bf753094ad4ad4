"""Settings of `distxml data build`: the source, the rules for its images, the splits."""

from pydantic import Field, model_validator

from distxml.config.base import Settings
from distxml.config.images import ImageRules
from distxml.config.sources import Source


class SplitSettings(Settings):
    """Shares of the images; stratified by class and seeded. Groups stay whole, and published splits are kept."""

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
    images: ImageRules = ImageRules()
    """Which image files are converted, and which are left out."""
    splits: SplitSettings = SplitSettings()
    """How the images are divided."""
    rows_per_shard: int = Field(default=256, ge=1)
    """Images in one Parquet file."""
    rows_per_group: int = Field(default=16, ge=1)
    """Images that are read at once: a Parquet row group."""
