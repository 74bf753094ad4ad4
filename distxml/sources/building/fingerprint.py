"""What the result of a build depends on, as checksums: equal ones mean that work done before can be used."""

import dataclasses
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import PIL
import pyarrow as pa

from distxml import __version__
from distxml.config.dataset import DatasetRecipe
from distxml.sources.material import RawMaterial

VERSIONS = (__version__, np.__version__, cv2.__version__, PIL.__version__, pa.__version__)
"""What the bytes of a shard may depend on."""


@dataclass(frozen=True)
class Fingerprint:
    """Two checksums, because the recipe may change where the checks still hold.

    Attributes:
        checks: of the images, their files and the rules for them.
        shards: of that and the whole recipe.
    """

    checks: str
    shards: str


def fingerprint(recipe: DatasetRecipe, material: RawMaterial) -> Fingerprint:
    """Of a recipe and its material; files are known by path, size and time of change, and not read."""
    checks = hashlib.sha256()
    rules = recipe.images.model_dump_json(exclude={"max_left_out"})
    _add(checks, (*VERSIONS, rules, material.classes))
    if not material.drawn:  # else the recipe says it all
        _add(checks, material.items)
    shards = checks.copy()
    _add(shards, recipe.model_dump_json())
    return Fingerprint(checks.hexdigest(), shards.hexdigest())


def _add(digest: "hashlib._Hash", value: object) -> None:
    """Adds a value with its type, so that no two different ones add the same."""
    digest.update(f"<{type(value).__qualname__} ".encode())
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            _add(digest, getattr(value, field.name))
    elif isinstance(value, Path):
        _add(digest, (str(value), *_state(value)))
    elif isinstance(value, np.ndarray):
        digest.update(f"{value.dtype} {value.shape} ".encode() + np.ascontiguousarray(value).tobytes())
    elif isinstance(value, Sequence) and not isinstance(value, str | bytes):
        for element in value:
            _add(digest, element)
    else:
        digest.update(repr(value).encode(errors="backslashreplace"))
    digest.update(b">")


def _state(path: Path) -> tuple[int, ...]:
    try:
        found = path.stat()
    except OSError:
        return ()
    return (found.st_size, found.st_mtime_ns)
