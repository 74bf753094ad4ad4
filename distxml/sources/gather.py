"""From a recipe's source to its raw material."""

from collections.abc import Callable
from typing import Any

from distxml.config.base import Settings
from distxml.config.dataset import DatasetRecipe
from distxml.config.sources import (
    CocoSource,
    FoldersSource,
    HvzFlatSource,
    HvzSource,
    ManifestSource,
    NihNciSource,
    PolygonsSource,
    VocSource,
)
from distxml.sources.coco.source import coco_material
from distxml.sources.folders import folders_material
from distxml.sources.hvz.flat import hvz_flat_material
from distxml.sources.hvz.tree import hvz_material
from distxml.sources.manifest import manifest_material
from distxml.sources.material import RawMaterial, Track
from distxml.sources.nih_nci import nih_nci_material
from distxml.sources.polygons.source import polygons_material
from distxml.sources.voc.source import voc_material

READERS: dict[type[Settings], Callable[[Any, Track], RawMaterial]] = {
    CocoSource: coco_material,
    FoldersSource: folders_material,
    HvzFlatSource: hvz_flat_material,
    HvzSource: hvz_material,
    ManifestSource: manifest_material,
    NihNciSource: nih_nci_material,
    VocSource: voc_material,
}
"""What reads each kind of source that lies on a disk."""


def gather(recipe: DatasetRecipe, track: Track) -> RawMaterial:
    """The raw material that the recipe names.

    Raises:
        UserError: it is not there or is not what its kind of source promises.
    """
    if isinstance(recipe.source, PolygonsSource):
        return polygons_material(recipe.source, recipe.seed)
    return READERS[type(recipe.source)](recipe.source, track)
