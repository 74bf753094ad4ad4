"""From a recipe's source to its raw material."""

from distxml.config.dataset import DatasetRecipe
from distxml.config.sources import PolygonsSource
from distxml.sources.material import RawMaterial, Track
from distxml.sources.polygons import polygons_material
from distxml.sources.voc import voc_material


def gather(recipe: DatasetRecipe, track: Track) -> RawMaterial:
    """The raw material that the recipe names.

    Raises:
        UserError: it is not there or is not what its kind of source promises.
    """
    if isinstance(recipe.source, PolygonsSource):
        return polygons_material(recipe.source, recipe.seed)
    return voc_material(recipe.source, track)
