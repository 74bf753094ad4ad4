"""Reads a COCO detection JSON, which is not trusted."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from distxml.errors import UserError, reason_of
from distxml.sources.coco.outlines import Outline, Polygons, RunLengths
from distxml.sources.raster import Box

REMEDY = "mend the file"


@dataclass(frozen=True, slots=True)
class CocoObject:
    """One annotation; without an outline where none was asked for or none is written."""

    number: int
    category: str
    box: Box
    outline: Outline | None

    def __str__(self) -> str:
        return f"annotation {self.number} ({self.category})"


@dataclass(frozen=True, slots=True)
class CocoImage:
    """One image with its objects; `size` is width and height."""

    number: int
    file: str
    size: tuple[int, int]
    objects: list[CocoObject] = field(default_factory=list)


@dataclass(frozen=True)
class CocoFile:
    """The names of the categories by id, and the images in the file's order."""

    path: Path
    categories: tuple[str, ...]
    images: tuple[CocoImage, ...]


def read_coco(path: Path, outlines: bool, crowds: bool) -> CocoFile:
    """What `path` holds.

    Args:
        path: the JSON file.
        outlines: whether to read the outlines of objects.
        crowds: whether to read objects marked `iscrowd`.

    Raises:
        UserError: it is missing, not JSON, lacks a field, holds a wrong value, or refers to what is not there.
    """
    tree = _parse(path)
    if not isinstance(tree, dict):
        raise UserError(f"{path}: not a COCO file, which is an object with images, annotations, categories; {REMEDY}")
    categories = _categories(path, _entries(path, tree, "categories"))
    images = _images(path, _entries(path, tree, "images"))
    for place, entry in _entries(path, tree, "annotations"):
        if crowds or not entry.get("iscrowd"):
            image = images.get(_whole(place, entry, "image_id"))
            if image is None:
                raise UserError(f"{place}: image_id {entry['image_id']} is that of no image; {REMEDY}")
            image.objects.append(_object(place, entry, categories, outlines))
    return CocoFile(path, tuple(categories[number] for number in sorted(categories)), tuple(images.values()))


def _parse(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes(), parse_constant=_no_number)
    except OSError as error:
        remedy = "set source.annotations=FILE"
        raise UserError(f"source.annotations: {path}: cannot be read ({reason_of(error)}); {remedy}") from None
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: not valid JSON ({str(error) or 'nested too deeply'}); {REMEDY}") from None


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a number")


def _entries(path: Path, tree: dict[str, Any], name: str) -> list[tuple[str, dict[str, Any]]]:
    """The objects of a list, each with its place for messages."""
    entries = tree.get(name)
    if not isinstance(entries, list):
        raise UserError(f"{path}: {name} is not a list; is this a COCO detection file?")
    for index, entry in enumerate(entries):
        if not isinstance(entry, dict):
            raise UserError(f"{path}: {name}[{index}] is not an object; {REMEDY}")
    return [(f"{path}: {name}[{index}]", entry) for index, entry in enumerate(entries)]


def _categories(path: Path, entries: Sequence[tuple[str, dict[str, Any]]]) -> dict[int, str]:
    categories: dict[int, str] = {}
    for place, entry in entries:
        number, name = _whole(place, entry, "id"), _text(place, entry, "name")
        if number in categories:
            raise UserError(f"{place}: id {number} comes twice; {REMEDY}")
        if name in categories.values():
            raise UserError(f"{place}: name {name!r} comes twice; {REMEDY}")
        categories[number] = name
    if not categories:
        raise UserError(f"{path}: no categories; is this a COCO detection file?")
    return categories


def _images(path: Path, entries: Sequence[tuple[str, dict[str, Any]]]) -> dict[int, CocoImage]:
    images: dict[int, CocoImage] = {}
    files: set[str] = set()
    for place, entry in entries:
        number, file = _whole(place, entry, "id"), _text(place, entry, "file_name").replace("\\", "/")
        if number in images:
            raise UserError(f"{place}: id {number} comes twice; {REMEDY}")
        if file in files:
            raise UserError(f"{place}: file_name {file!r} comes twice; {REMEDY}")
        files.add(file)
        size = _whole(place, entry, "width"), _whole(place, entry, "height")
        if min(size) < 1:
            raise UserError(f"{place}: {size[0]}x{size[1]} is not the size of an image; {REMEDY}")
        images[number] = CocoImage(number, file, size)
    if not images:
        raise UserError(f"{path}: no images; is this a COCO detection file?")
    return images


def _object(place: str, entry: dict[str, Any], categories: dict[int, str], outlines: bool) -> CocoObject:
    category = categories.get(_whole(place, entry, "category_id"))
    if category is None:
        raise UserError(f"{place}: category_id {entry['category_id']} is that of no category; {REMEDY}")
    box = entry.get("bbox")
    if not isinstance(box, list) or len(box) != 4 or not all(_is_number(value) for value in box):
        raise UserError(f"{place}: bbox is {_shown(box)}, not [x, y, width, height]; {REMEDY}")
    x, y, width, height = box
    outline = _outline(place, entry.get("segmentation")) if outlines else None
    number = _whole(place, entry, "id") if "id" in entry else -1
    return CocoObject(number, category, Box(x, y, x + width, y + height), outline)


def _outline(place: str, value: Any) -> Outline | None:
    if not value:
        return None
    if isinstance(value, dict):
        runs = _run_lengths(value.get("size"), value.get("counts"))
        if runs is not None:
            return runs
    elif isinstance(value, list) and all(_is_polygon(polygon) for polygon in value):
        return Polygons(tuple(tuple(polygon) for polygon in value))
    raise UserError(f"{place}: segmentation is neither polygons [[x, y, x, y, x, y, ...]] nor run lengths; {REMEDY}")


def _run_lengths(size: Any, counts: Any) -> RunLengths | None:
    if not isinstance(size, list) or len(size) != 2 or not all(map(_is_whole, size)):
        return None
    if isinstance(counts, str):
        return RunLengths((size[0], size[1]), counts)
    if isinstance(counts, list) and all(map(_is_whole, counts)):
        return RunLengths((size[0], size[1]), tuple(counts))
    return None


def _is_polygon(value: Any) -> bool:
    return isinstance(value, list) and len(value) >= 6 and len(value) % 2 == 0 and all(map(_is_number, value))


def _is_number(value: Any) -> bool:
    return _is_whole(value) or (isinstance(value, float) and math.isfinite(value) and abs(value) < 1e9)


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1e9


def _whole(place: str, entry: dict[str, Any], name: str) -> int:
    value = entry.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise UserError(f"{place}: {name} is {_shown(value)}, not a whole number; {REMEDY}")
    return value


def _text(place: str, entry: dict[str, Any], name: str) -> str:
    value = entry.get(name)
    if not isinstance(value, str) or not value or not value.isprintable():
        raise UserError(f"{place}: {name} is {_shown(value)}, not a text that can be printed; {REMEDY}")
    return value


def _shown(value: Any) -> str:
    return "missing" if value is None else ascii(value)[:60]
