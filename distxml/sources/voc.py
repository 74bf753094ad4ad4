"""Pascal VOC datasets: images, and one XML of boxes an image."""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from distxml.config.sources import VocSource
from distxml.errors import UserError
from distxml.sources.folder import require_folder, visible_entries
from distxml.sources.image_file import Unusable, image_size, list_images, read_image
from distxml.sources.material import RawMaterial, Rejected, Row, Track
from distxml.sources.png import mask_png
from distxml.sources.voc_rules import Region, Size, region_of
from distxml.sources.voc_xml import Annotation, read_annotation

MOST_NAMES_SHOWN = 20


@dataclass(frozen=True)
class VocItem:
    """An image file with its class and boxes."""

    path: Path
    size: Size
    region: Region

    @property
    def key(self) -> str:
        """The file's stem."""
        return self.path.stem

    @property
    def label(self) -> int:
        """Index into the classes."""
        return self.region.label

    def row(self) -> Row:
        """Reads the file, whose bytes are kept as they are, and draws the boxes."""
        return Row(self.key, self.label, read_image(self.path), self.path.name, mask_png(box_mask(self)))


def box_mask(item: VocItem) -> np.ndarray:
    """The union of the boxes: H×W uint8, 255 inside and 0 outside; a pixel that a box cuts is inside."""
    width, height = item.size
    mask = np.zeros((height, width), np.uint8)
    for box in item.region.boxes:
        mask[math.floor(box.ymin) : math.ceil(box.ymax), math.floor(box.xmin) : math.ceil(box.xmax)] = 255
    return mask


def voc_material(settings: VocSource, track: Track) -> RawMaterial:
    """Every image that has an annotation, decodes, and obeys the recipe's rules; the others with the reason.

    Raises:
        UserError: a folder or an image is missing, an XML is wrong, or a rule of the recipe is to fail.
    """
    require_folder("source.images", settings.images)
    require_folder("source.annotations", settings.annotations)
    images = list_images(settings.images)
    annotations = [read_annotation(path) for path in track(_xml_files(settings.annotations), "reading annotations")]
    owners = _match(annotations, images.by_stem, settings.images)
    classes = _classes(annotations, settings)
    items: list[VocItem] = []
    rejected = list(images.others)
    for path in track(list(images.by_stem.values()), "checking images"):
        try:
            items.append(_item(path, owners.get(path), classes, settings))
        except Unusable as reason:
            rejected.append(Rejected(path.name, str(reason)))
    distinct, copies = without_copies(items)
    return RawMaterial(classes, distinct, sorted([*rejected, *copies], key=lambda entry: entry.file))


def without_copies(items: Sequence[VocItem]) -> tuple[list[VocItem], list[Rejected]]:
    """One of each set of files that are equal bit for bit: a copy in another split would be trained on and scored.

    Where equal files have different classes, none of them is kept: nobody can say which class is right.
    """
    same: dict[bytes, list[VocItem]] = {}
    for item in items:
        same.setdefault(hashlib.sha256(read_image(item.path)).digest(), []).append(item)
    kept: list[VocItem] = []
    copies: list[Rejected] = []
    for first, *others in same.values():
        if any(other.label != first.label for other in others):
            names = ", ".join(item.path.name for item in (first, *others))
            copies += [
                Rejected(item.path.name, f"equal files of different classes: {names}") for item in (first, *others)
            ]
        else:
            kept.append(first)
            copies += [Rejected(other.path.name, f"a bit-for-bit copy of {first.path.name}") for other in others]
    return kept, copies


def _item(path: Path, annotation: Annotation | None, classes: tuple[str, ...], settings: VocSource) -> VocItem:
    if annotation is None:
        raise Unusable("no XML belongs to it")
    size = image_size(path)
    return VocItem(path, size, region_of(annotation, size, classes, settings))


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
    shown = ", ".join(found[:MOST_NAMES_SHOWN]) + (", ..." if len(found) > MOST_NAMES_SHOWN else "")
    if not found:
        raise UserError(f"source.annotations: no object in any XML of {settings.annotations}")
    if settings.classes is None:
        return tuple(found)
    if len(set(settings.classes)) < len(settings.classes):
        raise UserError(f"source.classes: a name comes twice in {', '.join(settings.classes)}; name each class once")
    unknown = [name for name in settings.classes if name not in found]
    if unknown:
        raise UserError(f"source.classes: no object is named {', '.join(unknown)}; names found: {shown}")
    return settings.classes
