"""ImageNet-HVZ in its flat layout: `data.csv`, `images/CLASS` and `masks/CLASS`."""

from pathlib import PurePosixPath

from distxml.config.sources import HvzFlatSource
from distxml.errors import UserError
from distxml.sources.file_item import FileItem
from distxml.sources.files import require_folder
from distxml.sources.hvz.tree import CLASSES
from distxml.sources.material import Missing, RawMaterial, Rejected, Track, Unusable
from distxml.sources.paths import path_below, require_distinct_keys, without_suffix
from distxml.sources.regions import MaskFile, without_mask
from distxml.sources.table import SheetRow, read_csv

TABLE = "data.csv"
IMAGE, LABEL = "imageID", "label"


def hvz_flat_material(settings: HvzFlatSource, track: Track) -> RawMaterial:
    """One image per row of `data.csv`, with `masks/CLASS/*_mask.JPEG` as its mask.

    Raises:
        UserError: a folder is missing, or the table is wrong.
    """
    require_folder("source.folder", settings.folder)
    table = read_csv(settings.folder / TABLE, "source.folder")
    table.require((IMAGE, LABEL))
    items: list[FileItem] = []
    rejected: list[Rejected] = []
    for row in track(table.rows, "looking for images"):
        try:
            items.append(_item(row, settings))
        except Unusable as reason:
            rejected.append(Rejected(_name(row), str(reason), isinstance(reason, Missing)))
    _require_one_row_each(items, settings)
    require_distinct_keys(items, settings.folder)
    return RawMaterial(CLASSES, items, rejected)


def _name(row: SheetRow) -> str:
    return f"images/{row.text(LABEL)}/{row.text(IMAGE)}"


def _item(row: SheetRow, settings: HvzFlatSource) -> FileItem:
    image, label = row.text(IMAGE), row.text(LABEL)
    if label not in CLASSES:
        raise UserError(f"{row.where}: label {label!r} is neither of {', '.join(CLASSES)}; mend the row")
    path = path_below(settings.folder / "images" / label, image, row.where)
    if not path.is_file():
        raise Missing("no such file, though data.csv has a row for it")
    file = PurePosixPath(image.replace("\\", "/"))
    name = f"{file.with_suffix('')}_mask{file.suffix}"
    mask = path_below(settings.folder / "masks" / label, name, row.where)
    region = MaskFile(mask, f"masks/{label}/{name}") if mask.is_file() else None
    if region is None:
        without_mask(settings.missing_mask, _name(row))
    return FileItem(path, _name(row), without_suffix(file.as_posix()), CLASSES.index(label), region)


def _require_one_row_each(items: list[FileItem], settings: HvzFlatSource) -> None:
    seen: set[str] = set()
    for item in items:
        if item.name in seen:
            raise UserError(f"{settings.folder / TABLE}: two rows for {item.name}; remove one")
        seen.add(item.name)
