"""`Store`: a folder of an object store, and what is done with the objects in it; each call is tried for a while."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

import pyarrow as pa
from pyarrow import fs

from distxml.digest import CHUNK, stream_digest
from distxml.errors import UserError, reason_of
from distxml.storage.patience import Notify, Patience, say

SECONDS_OF_PATIENCE = 180.0
"""A store that comes back within this time costs nothing but the time."""
SECONDS_TO_CONNECT, SECONDS_WITHOUT_A_BYTE = 5.0, 15.0
WITH_FOLDERS = (fs.LocalFileSystem, fs.HadoopFileSystem, fs.PyFileSystem)
"""File systems on which a file needs its folder; elsewhere a folder is one more object."""
PROBE = ".can-be-written"
READ_ONLY = ("http", "https", "data", "git", "github", "gitlab", "zip", "tar", "libarchive", "reference")
"""Schemes that fsspec knows and cannot write."""
REMEDY = "write a path, s3://, gs://, abfs://, hdfs://, or a scheme that an installed fsspec can write"


@dataclass(frozen=True)
class Store:
    """A folder.

    Attributes:
        name: its URI; for messages.
        system: the file system.
        root: the folder's path on it.
        patience: how long a call is tried.
    """

    name: str
    system: fs.FileSystem
    root: str
    patience: Patience

    def named(self, name: str) -> str:
        """What the user calls an object of the folder."""
        return f"{self.name.split('?')[0].rstrip('/')}/{name}"

    def telling(self, notify: Notify, seconds: float | None = None) -> "Store":
        """The same folder; `notify` is told of its failures, which are waited for `seconds`."""
        return replace(self, patience=Patience(seconds or self.patience.seconds, notify))

    def names(self, prefix: str = "") -> dict[str, int]:
        """Bytes of every object whose name begins with the folder `prefix`, by its whole name."""
        folder = self._path(prefix)

        def listed() -> dict[str, int]:
            self._forget_listings()
            found = self.system.get_file_info(fs.FileSelector(folder, recursive=True, allow_not_found=True))
            skipped = len(self.root.rstrip("/")) + 1
            return {info.path[skipped:]: info.size or 0 for info in found if info.type == fs.FileType.File}

        return self.patience.ask(self.named(prefix), listed)

    def get(self, name: str) -> bytes:
        """An object.

        Raises:
            FileNotFoundError: there is none.
            InfrastructureError: the store does not answer.
        """

        def read() -> bytes:
            with self.system.open_input_file(self._path(name)) as file:
                return file.read()

        return self.patience.ask(self.named(name), read)

    def download(self, name: str, target: Path) -> str:
        """Write an object into a file of this machine; the SHA-256 of what arrived.

        Raises:
            FileNotFoundError: there is no such object.
            InfrastructureError: the store does not answer.
        """

        def copy() -> str:
            with self.system.open_input_stream(self._path(name)) as source, target.open("wb") as file:
                return stream_digest(source, file)

        return self.patience.ask(self.named(name), copy)

    def put(self, name: str, content: bytes | Path) -> None:
        """Write an object, from memory or from a file; one of that name is replaced, at once where it is a real store.

        Raises:
            InfrastructureError: the store does not take it.
        """

        def write() -> None:
            path = self._path(name)
            if isinstance(self.system, WITH_FOLDERS):
                self.system.create_dir(path.rpartition("/")[0])
            with self.system.open_output_stream(path) as target:
                if isinstance(content, bytes):
                    target.write(content)
                    return
                with content.open("rb") as source:
                    while chunk := source.read(CHUNK):
                        target.write(chunk)

        self.patience.ask(self.named(name), write)

    def delete(self, names: Iterable[str]) -> None:
        """Remove objects; one that is gone already is no fault."""
        for name in names:
            with suppress(FileNotFoundError):
                self.patience.ask(self.named(name), lambda name=name: self.system.delete_file(self._path(name)))

    def delete_folder(self, name: str) -> None:
        """Remove all objects whose names begin with a folder's."""
        with suppress(FileNotFoundError):
            self.patience.ask(self.named(name), lambda: self.system.delete_dir(self._path(name)))

    def require_writable(self) -> None:
        """Write an object and remove it.

        Raises:
            InfrastructureError: the store does not take it.
        """
        self.put(PROBE, b"")
        self.delete([PROBE])

    def _path(self, name: str) -> str:
        return f"{self.root.rstrip('/')}/{name}".rstrip("/")

    def _forget_listings(self) -> None:
        """fsspec's file systems may remember what a folder held."""
        handler = getattr(self.system, "handler", None)
        if isinstance(handler, fs.FSSpecHandler):
            handler.fs.invalidate_cache()


def open_store(uri: str, notify: Notify = say, seconds: float = SECONDS_OF_PATIENCE) -> Store:
    """The folder that a URI names; nothing is read yet.

    URIs that pyarrow knows (s3, gs, abfs, hdfs, file) are opened by it, all others by fsspec. Credentials and endpoints
    come from the environment, as for the providers' own tools, or from the URI's query.

    Raises:
        UserError: nothing can open or write such a URI.
    """
    if (scheme := uri.partition("://")[0]) in READ_ONLY:
        raise UserError(f"{uri}: {scheme}:// can only be read; {REMEDY}")
    try:
        system, root = _opened(uri)
    except (ValueError, ImportError, OSError, pa.ArrowException) as error:
        raise UserError(f"{uri}: no file system for it ({reason_of(error)}); {REMEDY}") from None
    return Store(uri, system, root, Patience(seconds, notify))


def _opened(uri: str) -> tuple[fs.FileSystem, str]:
    try:
        system, root = fs.FileSystem.from_uri(_with_limits(uri))
    except pa.ArrowInvalid as error:
        if "filesystem type" not in str(error):  # else the URI is wrong
            raise
        import fsspec

        system, root = fsspec.core.url_to_fs(uri, use_listings_cache=False)
        return fs.PyFileSystem(fs.FSSpecHandler(system)), root
    return (_impatient(system) if isinstance(system, fs.S3FileSystem) else system), root


def _with_limits(uri: str) -> str:
    """Google's client tries for fifteen minutes unless it is told otherwise."""
    parts = urlsplit(uri)
    if parts.scheme not in ("gs", "gcs") or "retry_limit_seconds" in parts.query:
        return uri
    return f"{uri}{'&' if parts.query else '?'}retry_limit_seconds=30"


def _impatient(system: fs.S3FileSystem) -> fs.S3FileSystem:
    """The same, but for its own retries: without these bounds a silent server holds a write for four minutes."""
    _, (options, *_) = system.__reduce__()
    limits = {
        "connect_timeout": SECONDS_TO_CONNECT,
        "request_timeout": SECONDS_WITHOUT_A_BYTE,
        "retry_strategy": fs.AwsStandardS3RetryStrategy(max_attempts=1),
        "allow_delayed_open": True,  # one request for a small object, not three
    }
    return fs.S3FileSystem(**(options | limits))
