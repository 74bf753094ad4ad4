"""From a recipe's source to its raw material."""

from distxml.config.dataset import DatasetRecipe
from distxml.config.sources import SOURCES
from distxml.registry import load
from distxml.sources.material import RawMaterial, Track


def gather(recipe: DatasetRecipe, track: Track) -> RawMaterial:
    """The raw material that the recipe names.

    Raises:
        UserError: it is not there or is not what its kind of source promises.
    """
    entry = SOURCES[recipe.source.kind]
    return load(entry.material)(recipe.source, recipe.seed if entry.drawn else track)
