"""Where raw material comes from: one settings model a kind of source."""

from typing import Annotated

from pydantic import Field

from distxml.config.sources.coco import CocoSource
from distxml.config.sources.folders import FoldersSource
from distxml.config.sources.hvz import HvzFlatSource, HvzSource
from distxml.config.sources.manifest import ManifestSource
from distxml.config.sources.nih_nci import NihNciSource
from distxml.config.sources.polygons import PolygonsSource
from distxml.config.sources.voc import VocSource

Source = Annotated[
    PolygonsSource | VocSource | FoldersSource | ManifestSource | CocoSource | HvzSource | HvzFlatSource | NihNciSource,
    Field(discriminator="kind"),
]

__all__ = [
    "CocoSource",
    "FoldersSource",
    "HvzFlatSource",
    "HvzSource",
    "ManifestSource",
    "NihNciSource",
    "PolygonsSource",
    "Source",
    "VocSource",
]
