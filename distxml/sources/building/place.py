"""Where a dataset may be built."""

from pathlib import Path

from distxml.config.dataset import DatasetRecipe
from distxml.errors import UserError


def require_outside_source(recipe: DatasetRecipe, folder: Path) -> None:
    """Refuse a place inside a folder that the source reads: the next build would take the dataset for raw material.

    Raises:
        UserError: names the setting and its folder.
    """
    place = folder.resolve()
    for field, value in recipe.source:
        if isinstance(value, Path) and value.is_dir() and place.is_relative_to(value.resolve()):
            raise UserError(
                f"{folder}: lies inside source.{field}={value}, which the build reads; name a folder outside of it"
            )
