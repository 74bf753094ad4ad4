"""How one run names another: by its place as seen from its own, so that both may be moved together."""

import os
import posixpath
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from distxml.config.locations import is_uri
from distxml.config.run_folder import RunFolder
from distxml.storage.runs import run_to_read
from distxml.storage.stored_run import StoredRun


def place_beside(run: RunFolder, first: RunFolder) -> str:
    """Place of `run` as seen from `first`; all of it, where one is in another store than the other."""
    if isinstance(run, StoredRun) and isinstance(first, StoredRun):
        (scheme, path), (first_scheme, first_path) = _parts(str(run)), _parts(str(first))
        if (scheme, path.split("/")[0]) == (first_scheme, first_path.split("/")[0]):
            return posixpath.relpath(path, first_path)
    if isinstance(run, StoredRun):
        return str(run)
    return Path(os.path.relpath(run.path.resolve(), first.path.resolve())).as_posix()


@contextmanager
def run_beside(first: RunFolder, place: str) -> Iterator[RunFolder]:
    """The run at a place as `place_beside` names it.

    Raises:
        UserError: see `run_to_read`.
    """
    if not isinstance(first, StoredRun) and not is_uri(place):
        yield RunFolder(first.path / place)
        return
    if not is_uri(place):
        uri, mark, query = str(first).partition("?")
        scheme, path = _parts(uri)
        place = f"{scheme}://{posixpath.normpath(posixpath.join(path, place))}{mark}{query}"
    with run_to_read(place) as run:
        yield run


def _parts(uri: str) -> tuple[str, str]:
    """Scheme and path, with the bucket."""
    scheme, _, path = uri.partition("?")[0].partition("://")
    return scheme, path.rstrip("/")
