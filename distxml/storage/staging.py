"""Folders of this node that hold what is on its way to or from a store."""

import os
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from distxml.digest import digest_of
from distxml.errors import InfrastructureError, reason_of

SECONDS_TO_KEEP = 24 * 60 * 60
"""A folder in which nothing was written for so long was left by a process that was killed."""
REMEDY = "name a folder of this node in DISTXML_STAGING"


def staging_folder(uri: str) -> Path:
    """Of this node, for a URI: `DISTXML_STAGING`, or the user's cache."""
    named, cache = os.environ.get("DISTXML_STAGING"), os.environ.get("XDG_CACHE_HOME")
    base = Path(named) if named else (Path(cache) if cache else Path.home() / ".cache") / "distxml" / "staging"
    return base.absolute() / digest_of(uri)[:16]


def make_staging(uri: str, token: str = "") -> Path:
    """A folder for one process, or for all processes of this node that share a token; what is old goes.

    Raises:
        InfrastructureError: it cannot be written.
    """
    above = staging_folder(uri)
    folder = above / (token or uuid.uuid4().hex) / (uri.partition("?")[0].rstrip("/").rpartition("/")[2] or "run")
    try:
        _remove_old(above)
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InfrastructureError(f"{folder}: cannot be written ({reason_of(error)}); {REMEDY}") from None
    return folder


@contextmanager
def temporary_staging(uri: str) -> Iterator[Path]:
    """A folder for the length of the block."""
    folder = make_staging(uri)
    try:
        yield folder
    finally:
        remove_staging(folder)


def remove_staging(folder: Path) -> None:
    """What `make_staging` has made; as far as that goes."""
    shutil.rmtree(folder.parent, ignore_errors=True)


def _remove_old(above: Path) -> None:
    if not above.is_dir():
        return
    for folder in above.iterdir():
        if folder.is_dir() and time.time() - _newest(folder) > SECONDS_TO_KEEP:
            shutil.rmtree(folder, ignore_errors=True)


def _newest(folder: Path) -> float:
    """When something in it changed last."""
    times = [folder.stat().st_mtime]
    for parent, _, names in os.walk(folder):
        for path in (Path(parent), *(Path(parent, name) for name in names)):
            try:
                times.append(path.stat().st_mtime)
            except OSError:  # gone
                continue
    return max(times)
