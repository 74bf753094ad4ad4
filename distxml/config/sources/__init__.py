"""Where raw material comes from: one settings model a kind of source."""

from typing import Annotated

from pydantic import Field

from distxml.config.sources.polygons import PolygonsSource
from distxml.config.sources.voc import VocSource

Source = Annotated[PolygonsSource | VocSource, Field(discriminator="kind")]

__all__ = ["PolygonsSource", "Source", "VocSource"]
