"""Pascal VOC datasets: images, and one XML of boxes per image."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from distxml.config.sources import VocSource
from distxml.errors import UserError
from distxml.sources.file_item import FileItem
from distxml.sources.files import find_images, require_folder, visible_entries
from distxml.sources.images.check import header_size
from distxml.sources.material import RawMaterial, Rejected, Track, Unusable
from distxml.sources.raster import box_mask, polygon_mask
from distxml.sources.voc.annotation import Annotation, read_annotation
from distxml.sources.voc.rules import region_of

MAX_NAMES_SHOWN = 20


@dataclass(frozen=True)
class VocRegion:
    """The region of interest of an image: the objects of its class."""

    annotation: Annotation
    classes: tuple[str, ...]
    rules: VocSource

    def mask(self, width: int, height: int) -> NDArray[np.uint8]:
        """The union of the objects' polygons, and of the boxes of those that have none: H×W; see `region_of`."""
        region = region_of(self.annotation, (width, height), self.classes, self.rules)
        mask = box_mask(region.boxes, width, height)
        for polygon in region.polygons:
            mask |= polygon_mask(polygon, width, height)
        return mask


def voc_material(settings: VocSource, track: Track) -> RawMaterial:
    """Every image that has an annotation of one class by the recipe's rules; the others with the reason.

    Raises:
        UserError: a folder or an image is missing, an XML is wrong, or a rule of the recipe is to fail.
    """
    require_folder("source.images", settings.images)
    require_folder("source.annotations", settings.annotations)
    found = find_images(settings.images, settings.images, deep=False, follow_links=True, also=(".xml",))
    images = _by_stem(found.images, settings.images)
    files = track(_xml_files(settings.annotations), "reading annotations")
    annotations = [read_annotation(path, settings.boxes_count_from) for path in files]
    owners = _match(annotations, images, settings.images)
    classes = _classes(annotations, settings)
    items: list[FileItem] = []
    rejected = list(found.rejected)
    for path in images.values():
        try:
            items.append(_item(path, owners.get(path), classes, settings))
        except Unusable as reason:
            rejected.append(Rejected(path.name, str(reason)))
    return RawMaterial(classes, items, rejected)


def _by_stem(images: dict[str, Path], folder: Path) -> dict[str, Path]:
    by_stem: dict[str, Path] = {}
    for path in images.values():
        other = by_stem.setdefault(path.stem, path)
        if other != path:
            raise UserError(f"{folder}: {other.name} and {path.name} have the same name but for the suffix; rename one")
    return by_stem


def _item(path: Path, annotation: Annotation | None, classes: tuple[str, ...], settings: VocSource) -> FileItem:
    if annotation is None:
        raise Unusable("no XML belongs to it")
    region = VocRegion(annotation, classes, settings)
    return FileItem(path, path.name, path.stem, _label(path, annotation, classes, settings), region)


def _label(path: Path, annotation: Annotation, classes: tuple[str, ...], settings: VocSource) -> int:
    """Where there is more to say than the one class that is named, the boxes are compared in the image's size."""
    named = {entry.name for entry in annotation.objects}.intersection(classes)
    if not named and settings.negative is not None:
        named = {settings.negative}
    if len(named) == 1:
        return classes.index(named.pop())
    return region_of(annotation, header_size(path), classes, settings).label


def _xml_files(folder: Path) -> list[Path]:
    files = [path for path in visible_entries(folder) if path.suffix.lower() == ".xml"]
    for path in files:
        if not path.name.isprintable():
            raise UserError(f"{folder}: {path.name!a} holds characters that cannot be printed; rename the file")
    if not files:
        raise UserError(f"source.annotations: no XML file in {folder}; set source.annotations=FOLDER")
    return files


def _match(annotations: Sequence[Annotation], images: dict[str, Path], folder: Path) -> dict[Path, Annotation]:
    """The annotation of each image: the one that bears its stem, or else the one that names it.

    Names from an XML are only looked up among the files that were listed, so they cannot lead out of the folder.
    """
    owners: dict[Path, Annotation] = {}
    for annotation in annotations:
        image = images.get(annotation.path.stem) or _named(annotation.filename, images)
        if image is None:
            named = "" if annotation.filename is None else f" and no {annotation.filename!r}, which it names,"
            what = f"no image {annotation.path.stem!r}{named}"
            raise UserError(f"{annotation.path}: {what} in {folder}; add the image or move the XML away")
        if image in owners:
            raise UserError(f"{owners[image].path} and {annotation.path} both belong to {image}; remove one")
        owners[image] = annotation
    return owners


def _named(filename: str | None, images: dict[str, Path]) -> Path | None:
    if filename is None:
        return None
    name = PurePosixPath(filename.replace("\\", "/"))
    image = images.get(name.stem)
    return image if image is not None and image.name == name.name else images.get(name.name)


def _classes(annotations: Sequence[Annotation], settings: VocSource) -> tuple[str, ...]:
    found = sorted({entry.name for annotation in annotations for entry in annotation.objects})
    shown = ", ".join(found[:MAX_NAMES_SHOWN]) + (", ..." if len(found) > MAX_NAMES_SHOWN else "")
    if not found:
        raise UserError(f"source.annotations: no object in any XML of {settings.annotations}")
    if settings.negative in {*found, *(settings.classes or ())}:
        raise UserError(f"source.negative: {settings.negative!r} is an object's name too; choose another")
    return (() if settings.negative is None else (settings.negative,)) + _of_objects(found, shown, settings)


def _of_objects(found: list[str], shown: str, settings: VocSource) -> tuple[str, ...]:
    if settings.classes is None:
        return tuple(found)
    if len(set(settings.classes)) < len(settings.classes):
        raise UserError(f"source.classes: a name comes twice in {', '.join(settings.classes)}; name each class once")
    unknown = [name for name in settings.classes if name not in found]
    if unknown:
        raise UserError(f"source.classes: no object is named {', '.join(unknown)}; names found: {shown}")
    return settings.classes
