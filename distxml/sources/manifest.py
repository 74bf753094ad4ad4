"""A CSV manifest: one row per image, with its class and, where they are known, mask or boxes, split and group."""

import math
from difflib import get_close_matches
from pathlib import Path
from typing import cast

from distxml.config.sources import ManifestSource
from distxml.data.schema import SPLITS, Split
from distxml.errors import UserError
from distxml.sources.file_item import FileItem
from distxml.sources.files import NO_IMAGE, SUFFIXES, require_folder
from distxml.sources.material import Missing, RawMaterial, Rejected, Track, Unusable
from distxml.sources.paths import path_below, require_distinct_keys, without_suffix
from distxml.sources.raster import Box
from distxml.sources.regions import BoxRegion, MaskFile, Region
from distxml.sources.table import SheetRow, Table, read_csv, shown

NOTHING_THERE = "none"


def manifest_material(settings: ManifestSource, track: Track) -> RawMaterial:
    """The image of every row; those whose file is missing or whose label is no class with the reason.

    Raises:
        UserError: the table is missing or wrong; the message names the line.
    """
    table = read_csv(settings.table, "source.table", settings.delimiter)
    _check_columns(table, settings)
    root = settings.root or settings.table.parent
    require_folder("source.root", root)
    classes = _classes(table, settings)
    _require_one_row_each(table, settings)
    items: list[FileItem] = []
    rejected: list[Rejected] = []
    for row in track(table.rows, "looking for images"):
        try:
            items.append(_item(row, root, classes, settings))
        except Unusable as reason:
            line = row.where.removeprefix(f"{table.path}: ")
            why = f"{reason} ({line} of {table.path.name})"
            rejected.append(Rejected(row.text(settings.columns.image), why, isinstance(reason, Missing)))
    require_distinct_keys(items, root)
    return RawMaterial(classes, items, rejected)


def _check_columns(table: Table, settings: ManifestSource) -> None:
    table.require((settings.columns.image, settings.columns.label))
    known = list(settings.columns.model_dump().values())
    others = [name for name in table.columns if name not in known]
    if others and settings.other_columns == "fail":
        near = get_close_matches(others[0].lower(), known, n=1, cutoff=0.6)
        hint = f"did you mean {near[0]!r}? " if near else ""
        remedy = "rename it, name it in source.columns, or set source.other_columns=ignore"
        raise UserError(f"{table.path}: unknown column {others[0]!r}; {hint}Known: {shown(known)}; {remedy}")


def _classes(table: Table, settings: ManifestSource) -> tuple[str, ...]:
    """Labels that are whole numbers are sorted as numbers."""
    labels = {row.text(settings.columns.label) for row in table.rows}
    for row in table.rows:
        if not row.text(settings.columns.label):
            raise UserError(f"{row.where}: column {settings.columns.label} is empty; name the image's class")
    if not labels:
        raise UserError(f"{table.path}: no rows; add images")
    numbers = all(label.isascii() and label.isdecimal() for label in labels)
    found = sorted(labels, key=lambda label: (int(label), label)) if numbers else sorted(labels)
    unknown = [name for name in settings.classes or () if name not in labels]
    if unknown:
        raise UserError(f"source.classes: no row is labelled {', '.join(unknown)}; labels found: {shown(found)}")
    return settings.classes or tuple(found)


def _require_one_row_each(table: Table, settings: ManifestSource) -> None:
    rows: dict[str, SheetRow] = {}
    for row in table.rows:
        image = row.text(settings.columns.image)
        first = rows.setdefault(image, row)
        if first is not row:
            line = first.where.removeprefix(f"{table.path}: ")
            raise UserError(f"{row.where}: the image {image!r} stands on {line} already; remove one")


def _item(row: SheetRow, root: Path, classes: tuple[str, ...], settings: ManifestSource) -> FileItem:
    columns = settings.columns
    name, label = row.text(columns.image).replace("\\", "/"), row.text(columns.label)
    path = path_below(root, name, f"{row.where}: column {columns.image}")
    region = _region(row, root, settings)
    split, group = _split(row, columns.split), row.text(columns.group) or None
    if label not in classes:
        raise Unusable(f"its label {label!r} is none of the classes {', '.join(classes)}")
    if not path.is_file():
        raise Missing("no such file")
    if path.suffix.lower() not in SUFFIXES:
        raise Unusable(NO_IMAGE)
    return FileItem(path, name, without_suffix(name), classes.index(label), region, group, split)


def _split(row: SheetRow, column: str) -> Split | None:
    text = row.text(column)
    if text and text not in SPLITS:
        raise UserError(f"{row.where}: column {column} is {text[:40]!r}; write {', '.join(SPLITS)} or nothing")
    return cast(Split, text) if text else None


def _region(row: SheetRow, root: Path, settings: ManifestSource) -> Region | None:
    mask, boxes = row.text(settings.columns.mask), row.text(settings.columns.boxes)
    if mask and boxes:
        raise UserError(f"{row.where}: has a mask and boxes; leave one of them empty")
    if boxes:
        where = f"{row.where}: column {settings.columns.boxes}"
        return BoxRegion(row.where, read_boxes(boxes, where), settings.box_outside_image)
    if not mask:
        return None
    path = path_below(root, mask, f"{row.where}: column {settings.columns.mask}")
    if not path.is_file():
        raise Missing(f"no such mask: {mask}")
    return MaskFile(path, mask)


def read_boxes(text: str, where: str) -> tuple[Box, ...]:
    """`xmin ymin xmax ymax; ...` in pixels; `none` is no box.

    Raises:
        UserError: not four numbers per box, or a box without area.
    """
    if text == NOTHING_THERE:
        return ()
    return tuple(_box(part, where) for part in text.rstrip("; ").split(";"))


def _box(part: str, where: str) -> Box:
    try:
        xmin, ymin, xmax, ymax = (float(number) for number in part.split())
    except ValueError:
        raise UserError(f"{where}: {part.strip()[:60]!r} is not `xmin ymin xmax ymax`; mend the box") from None
    box = Box(xmin, ymin, xmax, ymax)
    if not all(math.isfinite(number) for number in (xmin, ymin, xmax, ymax)) or box.is_empty:
        raise UserError(f"{where}: box {box} must have xmin < xmax and ymin < ymax; mend the box")
    return box
