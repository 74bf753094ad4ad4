"""What a source made of its files, for tests to look at."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from distxml.errors import UserError
from distxml.sources.file_item import FileItem
from distxml.sources.material import RawMaterial
from tests.unit.sources.pictures import HEIGHT, WIDTH


def refusal(attempt: Callable[[], object]) -> str:
    """The one line with which it is refused."""
    with pytest.raises(UserError) as caught:
        attempt()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def reasons(found: RawMaterial) -> dict[str, str]:
    names = [entry.file for entry in found.rejected]
    assert len(set(names)) == len(names), names
    return {entry.file: entry.reason for entry in found.rejected}


def file_items(found: RawMaterial) -> list[FileItem]:
    items = [item for item in found.items if isinstance(item, FileItem)]
    assert len(items) == len(found.items)
    return items


def item_of(found: RawMaterial, key: str) -> FileItem:
    return next(item for item in file_items(found) if item.key == key)


def mask_in(item: FileItem, size: tuple[int, int] = (WIDTH, HEIGHT)) -> np.ndarray:
    assert item.region is not None
    return item.region.mask(*size)


def keys(found: RawMaterial) -> Sequence[str]:
    return [item.key for item in found.items]
