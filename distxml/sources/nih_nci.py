"""The NIH-NCI cervix images: four studies, each a folder of images and masks with its table."""

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from distxml.config.sources import NihNciSource
from distxml.errors import UserError
from distxml.sources.file_item import FileItem
from distxml.sources.files import SUFFIXES, find_images, require_folder
from distxml.sources.material import Missing, RawMaterial, Rejected, Track, Unusable
from distxml.sources.regions import MaskFile, without_mask
from distxml.sources.table import SheetRow, Table, read_csv, read_xls

CLASSES = ("healthy", "cancer")
IMAGE, PATIENT, HISTOLOGY = "GG_IMAGE_ID", "GG_PATIENT_ID", "WRST_HIST_AFTER"
MISSING = ("", ".", "-1", "-2")
NO_HISTOLOGY = (-1, -2)
MASK_ENDING = "_mask"
PREFERRED = ".jpg"


@dataclass(frozen=True)
class Study:
    """The files of one study by stem; `table` is what lies beside them."""

    name: str
    table: Table
    images: dict[str, list[Path]]
    rejected: list[Rejected]

    def file_of(self, stem: str, row: SheetRow) -> str:
        """What lists call the image of `row`: its file, or what the table calls it where there is none."""
        paths = self.images.get(stem)
        return f"{self.name}/{paths[0].name if paths else row.text(IMAGE)}"

    def masks_of(self, stem: str) -> list[Path]:
        """Files that are called like its mask."""
        return self.images.get(stem + MASK_ENDING, [])


def nih_nci_material(settings: NihNciSource, track: Track) -> RawMaterial:
    """The images whose worst histology and patient are known, grouped by patient; the others with the reason.

    Raises:
        UserError: a study is missing, or its table is wrong.
    """
    require_folder("source.folder", settings.folder)
    items: list[FileItem] = []
    rejected: list[Rejected] = []
    for name in track(settings.studies, "reading studies"):
        study = _read_study(settings, name)
        rejected += study.rejected
        rows = _rows_by_image(study, rejected)
        for stem, row in rows.items():
            try:
                items.append(_item(study, stem, row, settings))
            except Unusable as reason:
                rejected.append(Rejected(study.file_of(stem, row), str(reason), isinstance(reason, Missing)))
        rejected += _without_row(study, rows)
    return RawMaterial(CLASSES, items, rejected)


def _read_study(settings: NihNciSource, name: str) -> Study:
    folder = settings.folder / name
    if not folder.is_dir():
        raise UserError(f"source.folder: no study folder {folder}; set source.folder, or source.studies to those there")
    path = folder / settings.table
    is_csv = path.suffix.lower() == ".csv"
    header = settings.header_row
    table = read_csv(path, "source.table", header_row=header) if is_csv else read_xls(path, header)
    table.require((IMAGE, PATIENT, HISTOLOGY))
    found = find_images(folder, settings.folder, deep=False, also=(".xls", ".csv", ".xlsx"))
    images: dict[str, list[Path]] = {}
    for image in found.images.values():
        images.setdefault(image.stem, []).append(image)
    return Study(name, table, images, found.rejected)


def _rows_by_image(study: Study, rejected: list[Rejected]) -> dict[str, SheetRow]:
    """The row of each image; where rows for one image differ, none of them is used."""
    rows: dict[str, list[SheetRow]] = {}
    for row in study.table.rows:
        if row.text(IMAGE) in MISSING:
            line = row.where.removeprefix(f"{study.table.path}: ")
            rejected.append(Rejected(f"{study.name}/{study.table.path.name}", f"{line}: no {IMAGE}"))
        else:
            rows.setdefault(_stem(study, row.text(IMAGE)), []).append(row)
    for stem, several in list(rows.items()):
        if len(Counter((row.text(PATIENT), row.text(HISTOLOGY)) for row in several)) > 1:
            places = ", ".join(row.where.removeprefix(f"{study.table.path}: ") for row in several)
            name = study.file_of(stem, several[0])
            rejected.append(Rejected(name, f"its rows ({places}) differ in {PATIENT} or {HISTOLOGY}"))
            del rows[stem]
            study.images.pop(stem, None)
            study.images.pop(stem + MASK_ENDING, None)
    return {stem: several[0] for stem, several in rows.items()}


def _stem(study: Study, image: str) -> str:
    """The id as it stands, or without the suffix of an image; what else holds a dot is another image's id.

    It is only looked up among the files that were listed.
    """
    suffix = Path(image).suffix
    return image.removesuffix(suffix) if image not in study.images and suffix.lower() in SUFFIXES else image


def _item(study: Study, stem: str, row: SheetRow, settings: NihNciSource) -> FileItem:
    label = _label(row.text(HISTOLOGY), settings)
    patient = _patient(row.text(PATIENT))
    if patient in MISSING:
        raise Unusable(f"no {PATIENT}, so that its patient's other images could be in another split")
    path = _only(study.images.get(stem, []), "image")  # last: a row that is of no use without it misses nothing
    name = f"{study.name}/{path.name}"
    masks = study.masks_of(stem)
    region = None
    if masks:
        mask = _only(masks, "mask")
        region = MaskFile(mask, f"{study.name}/{mask.name}")
    else:
        without_mask(settings.missing_mask, name)
    return FileItem(path, name, f"{study.name}/{stem}", label, region, group=patient)


def _only(paths: list[Path], what: str) -> Path:
    """The `.jpg`, which is the one with masks beside the original, or else the only one."""
    if not paths:
        raise Missing(f"no such {what} file, though the table has a row for it")
    preferred = [path for path in paths if path.suffix.lower() == PREFERRED]
    if len(preferred or paths) > 1:
        raise Unusable(f"several {what} files: {', '.join(path.name for path in paths)}")
    return (preferred or paths)[0]


def _label(text: str, settings: NihNciSource) -> int:
    """0 healthy, 1 cancer."""
    code = _whole(text)
    if code in NO_HISTOLOGY and settings.no_histology == "healthy":
        return 0
    if text in MISSING or code in NO_HISTOLOGY:
        raise Unusable(f"{HISTOLOGY} is {text or 'empty'}: missing")
    if code in settings.healthy:
        return 0
    if code in settings.cancer:
        return 1
    raise Unusable(f"{HISTOLOGY} is {text}, which is in neither source.healthy nor source.cancer")


def _patient(text: str) -> str:
    """One patient is one text: some programs write 7 as 7.0."""
    number = _whole(text)
    return text if number is None else str(number)


def _whole(text: str) -> int | None:
    found = re.fullmatch(r"(-?[0-9]{1,30})(\.0*)?", text)
    return None if found is None else int(found.group(1))


def _without_row(study: Study, rows: dict[str, SheetRow]) -> list[Rejected]:
    """Images that the table does not know, masks of images that are not there."""
    rejected: list[Rejected] = []
    for stem, paths in study.images.items():
        image = stem.removesuffix(MASK_ENDING)
        if stem in rows or (image != stem and (image in rows or image in study.images)):
            continue
        reason = "no row of the table names it" if image == stem else "no image belongs to this mask"
        rejected += [Rejected(f"{study.name}/{path.name}", reason) for path in paths]
    return rejected
