"""COCO detection datasets: images, and one JSON of all their objects."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from distxml.config.sources import CocoSource
from distxml.errors import UserError
from distxml.sources.coco.annotations import CocoFile, CocoImage, CocoObject, read_coco
from distxml.sources.coco.outlines import Polygons
from distxml.sources.file_item import FileItem
from distxml.sources.files import NO_IMAGE, SUFFIXES, find_images, require_folder
from distxml.sources.material import Missing, RawMaterial, Rejected, Track, Unusable
from distxml.sources.paths import group_of, path_below, require_distinct_keys, without_suffix
from distxml.sources.raster import size_in_words
from distxml.sources.regions import BoxRegion, box_inside, fail_or_leave_out
from distxml.sources.table import shown


@dataclass(frozen=True)
class OutlineRegion:
    """The union of the outlines of an image's objects, checked against the size that the JSON states."""

    where: str
    objects: tuple[CocoObject, ...]
    rules: CocoSource
    stated: tuple[int, int]

    def mask(self, width: int, height: int) -> NDArray[np.uint8]:
        """H×W, 255 where the middle of the pixel is inside an outline, else 0."""
        if self.stated != (width, height):
            stated = size_in_words(self.stated)
            raise Unusable(f"its objects are for {stated} pixels, but the image has {width}x{height}")
        inside = np.zeros((height, width), bool)
        for entry in self.objects:
            inside |= self._fill(entry, width, height)
        if not inside.any():
            raise Unusable("the outlines of its objects hold no pixel")
        return np.where(inside, np.uint8(255), np.uint8(0))

    def _fill(self, entry: CocoObject, width: int, height: int) -> NDArray[np.bool_]:
        outline = entry.outline
        if outline is None:
            raise Unusable(f"{entry} has no outline")
        if isinstance(outline, Polygons):
            for extent in outline.extents():
                box_inside(extent, (width, height), self.rules.box_outside_image, f"{self.where}: {entry}")
        return outline.fill(width, height)


def coco_material(settings: CocoSource, track: Track) -> RawMaterial:
    """Every image of the JSON that has objects of one class by the recipe's rules; the others with the reason.

    Raises:
        UserError: the folder is missing, the JSON is wrong, or a rule of the recipe is to fail.
    """
    require_folder("source.images", settings.images)
    coco = read_coco(settings.annotations, settings.region == "segmentation", settings.crowds == "use")
    classes = _classes(coco, settings)
    items: list[FileItem] = []
    rejected: list[Rejected] = []
    for image in track(coco.images, "looking for images"):
        try:
            items.append(_item(image, coco.path, classes, settings))
        except Unusable as reason:
            rejected.append(Rejected(image.file, str(reason), isinstance(reason, Missing)))
    found = find_images(settings.images, settings.images, also=(".json",))
    named = {image.file for image in coco.images}
    unnamed = [name for name in found.images if name not in named]
    rejected += [*found.rejected, *(Rejected(name, f"{coco.path.name} does not name it") for name in unnamed)]
    require_distinct_keys(items, settings.images)
    return RawMaterial(classes, items, rejected)


def _classes(coco: CocoFile, settings: CocoSource) -> tuple[str, ...]:
    used = {entry.category for image in coco.images for entry in image.objects}
    found = tuple(name for name in coco.categories if name in used)
    if not found:
        raise UserError(f"{coco.path}: no object; is this a COCO detection file?")
    unknown = [name for name in settings.classes or () if name not in used]
    if unknown:
        raise UserError(f"source.classes: no object is a {', '.join(unknown)}; categories found: {shown(found)}")
    return settings.classes or found


def _item(image: CocoImage, json: Path, classes: tuple[str, ...], settings: CocoSource) -> FileItem:
    where = f"{json}: image {image.number} ({image.file})"
    path = path_below(settings.images, image.file, where)
    if not path.is_file():
        raise Missing(f"no such file, though {json.name} names it")
    if path.suffix.lower() not in SUFFIXES:
        raise Unusable(NO_IMAGE)
    name = _class_of(image, where, classes, settings)
    objects = tuple(entry for entry in image.objects if entry.category == name)
    group = group_of(settings.group_pattern, image.file)
    region = _region(image, where, objects, settings)
    return FileItem(path, image.file, without_suffix(image.file), classes.index(name), region, group)


def _class_of(image: CocoImage, where: str, classes: tuple[str, ...], settings: CocoSource) -> str:
    """The one class, or that of the largest total area of boxes; of equal ones, the first in label order."""
    areas: dict[str, float] = {}
    for entry in image.objects:
        if entry.category in classes:
            _require_area(entry)
            box = box_inside(entry.box, image.size, settings.box_outside_image, f"{where}: {entry}")
            areas[entry.category] = areas.get(entry.category, 0) + box.area
    if not areas:
        reason = f"no object of the classes {shown(classes)}"
        fail_or_leave_out(settings.no_objects, where, reason, "source.no_objects=leave_out")
    names = sorted(areas, key=classes.index)
    if len(names) > 1 and settings.several_classes != "largest":
        reason = f"objects of several classes: {shown(names)}"
        fail_or_leave_out(settings.several_classes, where, reason, "source.several_classes=leave_out or =largest")
    return max(names, key=lambda name: areas[name])


def _require_area(entry: CocoObject) -> None:
    if entry.box.is_empty:
        raise Unusable(f"{entry} has a box without area: {entry.box}")


def _region(
    image: CocoImage, where: str, objects: tuple[CocoObject, ...], settings: CocoSource
) -> BoxRegion | OutlineRegion:
    if settings.region == "segmentation":
        return OutlineRegion(where, objects, settings, image.size)
    return BoxRegion(where, tuple(entry.box for entry in objects), settings.box_outside_image, image.size)
