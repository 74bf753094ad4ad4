"""ImageNet-HVZ out of an ImageNet tree: one folder of images per synset, and one of box XML."""

from pathlib import Path

from distxml.config.sources import HvzSource
from distxml.errors import UserError
from distxml.sources.file_item import FileItem
from distxml.sources.files import find_images, require_folder
from distxml.sources.material import RawMaterial, Rejected, Track, Unusable
from distxml.sources.paths import require_distinct_keys, without_suffix
from distxml.sources.regions import BoxRegion
from distxml.sources.voc.annotation import read_annotation

SYNSETS = {"horse": "n02389026", "zebra": "n02391049"}
CLASSES = tuple(SYNSETS)


def hvz_material(settings: HvzSource, track: Track) -> RawMaterial:
    """The horses and zebras that have boxes; the others with the reason.

    Raises:
        UserError: a folder is missing, or an XML is wrong.
    """
    require_folder("source.images", settings.images)
    require_folder("source.annotations", settings.annotations)
    items: list[FileItem] = []
    rejected: list[Rejected] = []
    for label, name in enumerate(CLASSES):
        images, annotations = (_synset_folder(settings, field, name) for field in ("images", "annotations"))
        found = find_images(images, images, deep=False, also=(".xml",))
        rejected += [Rejected(f"{images.name}/{entry.file}", entry.reason) for entry in found.rejected]
        for path in track(list(found.images.values()), f"reading annotations of {name}"):
            try:
                items.append(_item(path, annotations, label, settings))
            except Unusable as reason:
                rejected.append(Rejected(_name(path), str(reason)))
    require_distinct_keys(items, settings.images)
    return RawMaterial(CLASSES, items, rejected)


def _synset_folder(settings: HvzSource, field: str, name: str) -> Path:
    folder: Path = getattr(settings, field) / SYNSETS[name]
    if not folder.is_dir():
        raise UserError(
            f"source.{field}: no folder {folder}, which should hold those of the {name}s; set source.{field}"
        )
    return folder


def _name(path: Path) -> str:
    return f"{path.parent.name}/{path.name}"


def _item(path: Path, annotations: Path, label: int, settings: HvzSource) -> FileItem:
    xml = annotations / f"{path.stem}.xml"
    if not xml.is_file():
        raise Unusable("no XML of boxes belongs to it")
    annotation = read_annotation(xml)
    synset = SYNSETS[CLASSES[label]]
    boxes = tuple(entry.box for entry in annotation.objects if entry.name == synset)
    if not boxes:
        raise Unusable(f"no box of {synset} ({CLASSES[label]}) in its XML")
    scale = settings.other_size == "scale"
    region = BoxRegion(str(xml), boxes, settings.box_outside_image, annotation.size, scale)
    return FileItem(path, _name(path), without_suffix(path.name), label, region)
