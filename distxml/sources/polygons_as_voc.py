"""Writes a polygons dataset as Pascal VOC: images, and one XML per image that annotates every shape."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element, ElementTree, SubElement, indent

import numpy as np

from distxml.config.dataset import DatasetRecipe
from distxml.config.sources import PolygonsSource
from distxml.data.schema import require_printable
from distxml.errors import UserError
from distxml.files import empty_folder
from distxml.sources.building.workspace import REDONE, folder_in_making
from distxml.sources.images.png import rgb_png
from distxml.sources.material import Track, untracked
from distxml.sources.polygons.drawing import pixel_box
from distxml.sources.polygons.layout import Scene
from distxml.sources.polygons.shapes import Shape, outline
from distxml.sources.polygons.source import PolygonItem, class_names, polygon_items

IMAGES = "JPEGImages"
ANNOTATIONS = "Annotations"


@dataclass(frozen=True)
class VocFolders:
    """What was written.

    Attributes:
        images: folder of the PNG files; its name is the one that Pascal VOC gives it.
        annotations: folder of the XML files.
        counts: images per class.
    """

    images: Path
    annotations: Path
    counts: dict[str, int]


def export_voc(recipe: DatasetRecipe, folder: Path, track: Track = untracked) -> VocFolders:
    """Draws every image of the recipe into `folder`, which appears only when it is complete.

    Raises:
        UserError: the recipe's source is not polygons, or `folder` holds something; nothing in it is deleted then.
    """
    source = recipe.source
    if not isinstance(source, PolygonsSource):
        raise UserError(
            f"source.kind: {source.kind} cannot be exported, because masks do not say what is in an image; "
            "name a recipe of kind polygons"
        )
    require_printable(folder)
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise UserError(f"{folder}: exists already; name a folder that does not exist yet")
    items = polygon_items(source, recipe.seed)
    with folder_in_making(folder.resolve(), REDONE) as making:
        empty_folder(making)  # what an export that was killed left may be from another recipe
        for name in (IMAGES, ANNOTATIONS):
            (making / name).mkdir()
        for item in track(items, "writing images"):
            _write(item, making, folder.name)
    labels = Counter(item.label for item in items)
    counts = {name: labels[label] for label, name in enumerate(class_names(source))}
    return VocFolders(folder / IMAGES, folder / ANNOTATIONS, counts)


def _write(item: PolygonItem, folder: Path, name: str) -> None:
    drawing = item.drawing()
    (folder / IMAGES / item.name).write_bytes(rgb_png(drawing.image))
    root = annotation(item, drawing.scene, name)
    ElementTree(root).write(folder / ANNOTATIONS / f"{item.key}.xml", encoding="utf-8")


def annotation(item: PolygonItem, scene: Scene, folder: str) -> Element:
    """`<annotation>` of an image in `folder`, with an `<object>` for every shape.

    The first object of a positive image bears the name of its class and is the region of interest.
    """
    side = item.settings.image_size
    root = Element("annotation")
    for field, value in (("folder", folder), ("filename", item.name)):
        SubElement(root, field).text = value
    SubElement(SubElement(root, "source"), "database").text = "distxml polygons"
    size = SubElement(root, "size")
    for field, value in (("width", side), ("height", side), ("depth", 3)):
        SubElement(size, field).text = str(value)
    SubElement(root, "segmented").text = "0"
    for name, shape in _named(item, scene):
        _add_object(root, name, shape, side)
    indent(root)
    return root


def _named(item: PolygonItem, scene: Scene) -> Sequence[tuple[str, Shape]]:
    """Every shape with its name; without an outer polygon a target has the name of the class anyway."""
    named = [(shape.figure.name, shape) for shape in scene.shapes]
    if scene.inside is None:
        return named
    outer = scene.shapes[0]
    found = [(f"outer {outer.figure.name}", outer), (scene.inside.figure.name, scene.inside), *named[1:]]
    return [(class_names(item.settings)[1], outer), *found] if scene.positive else found


def _add_object(root: Element, name: str, shape: Shape, side: int) -> None:
    box = pixel_box(shape, side)
    if box is None:  # all of it is beyond the border
        return
    corners = outline(shape)
    entry = SubElement(root, "object")
    SubElement(entry, "name").text = name
    SubElement(entry, "pose").text = "Unspecified"
    SubElement(entry, "truncated").text = str(int(np.any((corners < 0) | (corners > side))))
    SubElement(entry, "difficult").text = "0"
    corner_fields = SubElement(entry, "bndbox")
    for field in ("xmin", "ymin", "xmax", "ymax"):
        SubElement(corner_fields, field).text = f"{getattr(box, field):.0f}"
    polygon = SubElement(entry, "polygon")
    for number, (x, y) in enumerate(corners.tolist(), start=1):
        SubElement(polygon, f"x{number}").text = repr(x)  # so that it reads back as the same number
        SubElement(polygon, f"y{number}").text = repr(y)
