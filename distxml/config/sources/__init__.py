"""Where raw material comes from: one settings model per kind of source, and the registry of the kinds."""

from dataclasses import dataclass
from typing import Annotated, Any, cast

from pydantic import Field, SerializeAsAny, ValidatorFunctionWrapHandler, WrapValidator

from distxml.config.base import Settings
from distxml.config.sources.coco import CocoSource
from distxml.config.sources.folders import FoldersSource
from distxml.config.sources.hvz import HvzFlatSource, HvzSource
from distxml.config.sources.manifest import ManifestSource
from distxml.config.sources.nih_nci import NihNciSource
from distxml.config.sources.polygons import PolygonsSource
from distxml.config.sources.voc import VocSource
from distxml.registry import Address, Registry


@dataclass(frozen=True)
class SourceEntry:
    """A kind of source.

    Attributes:
        name: as `source.kind` writes it.
        settings: model of the section `source`; its field `kind` admits the name alone.
        material: from settings and `Track` to `RawMaterial`.
        drawn: whether distxml draws the images itself; then `material` takes the settings and the recipe's seed.
    """

    name: str
    settings: type[Settings]
    material: Address
    drawn: bool = False


SOURCES = Registry(
    "kind of source",
    [
        SourceEntry("polygons", PolygonsSource, "distxml.sources.polygons.source:polygons_material", drawn=True),
        SourceEntry("voc", VocSource, "distxml.sources.voc.source:voc_material"),
        SourceEntry("folders", FoldersSource, "distxml.sources.folders:folders_material"),
        SourceEntry("manifest", ManifestSource, "distxml.sources.manifest:manifest_material"),
        SourceEntry("coco", CocoSource, "distxml.sources.coco.source:coco_material"),
        SourceEntry("imagenet_hvz", HvzSource, "distxml.sources.hvz.tree:hvz_material"),
        SourceEntry("imagenet_hvz_flat", HvzFlatSource, "distxml.sources.hvz.flat:hvz_flat_material"),
        SourceEntry("nih_nci", NihNciSource, "distxml.sources.nih_nci:nih_nci_material"),
    ],
)
"""Add to it where the code of another source is imported; recipes may name its kind from then on."""

_BUILT_IN = SOURCES.names()


def _by_kind(value: Any, built_in: ValidatorFunctionWrapHandler) -> Any:
    """Settings of a kind that was added later by its own model; all others by the union below."""
    kind: object = cast(dict[str, object], value).get("kind") if isinstance(value, dict) else getattr(value, "kind", "")
    if isinstance(kind, str) and kind in SOURCES.names() and kind not in _BUILT_IN:
        return SOURCES[kind].settings.model_validate(value)
    return built_in(value)


# Spelled out for type checkers; a test holds it to the registry.
Source = Annotated[
    SerializeAsAny[
        PolygonsSource
        | VocSource
        | FoldersSource
        | ManifestSource
        | CocoSource
        | HvzSource
        | HvzFlatSource
        | NihNciSource
    ],
    Field(discriminator="kind"),
    WrapValidator(_by_kind),
]
