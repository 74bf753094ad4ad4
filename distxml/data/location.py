"""A dataset's folder on any file system that pyarrow or fsspec can open."""

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from pyarrow import fs

from distxml.config.locations import is_uri
from distxml.digest import stream_digest
from distxml.errors import InfrastructureError, reason_of


@dataclass(frozen=True)
class Location:
    """A folder.

    Attributes:
        name: as the user wrote it; for messages.
        system: the file system.
        root: the folder's path on it.
    """

    name: str
    system: fs.FileSystem
    root: str

    def __str__(self) -> str:
        return self.name

    @property
    def local(self) -> Path | None:
        """The folder's path, where it is one of this machine."""
        return Path(self.root) if isinstance(self.system, fs.LocalFileSystem) else None

    def file(self, name: str) -> str:
        """What the user calls a file of the folder."""
        return str(Path(self.name) / name) if self.local else f"{self.name.split('?')[0].rstrip('/')}/{name}"

    def path(self, name: str) -> str:
        """Path of a file of the folder on `system`."""
        return f"{self.root.rstrip('/')}/{name}"

    def holds(self, name: str) -> bool:
        """Whether the folder holds a file `name`."""
        return self.system.get_file_info(self.path(name)).type == fs.FileType.File

    def files(self) -> dict[str, int]:
        """Bytes of every file below the folder, by its name with `/`; one listing, not a question a file."""
        found = self.system.get_file_info(fs.FileSelector(self.root, recursive=True))
        skipped = len(self.root.rstrip("/")) + 1
        return {info.path[skipped:]: info.size or 0 for info in found if info.type == fs.FileType.File}

    def read(self, name: str) -> bytes:
        """The bytes of a file of the folder."""
        with self.system.open_input_file(self.path(name)) as file:
            return file.read()

    def digest(self, name: str) -> str:
        """SHA-256 of a file of the folder, hexadecimal."""
        with self.system.open_input_file(self.path(name)) as file:
            return stream_digest(file)

    def is_folder(self) -> bool:
        """Whether the folder is there; in an object store: whether it holds something."""
        return self.system.get_file_info(self.root).type == fs.FileType.Directory


def locate(location: str) -> Location:
    """The folder that a path or a URI names; nothing is read yet.

    URIs that pyarrow knows (s3, gs, hdfs, abfs, file) are opened by it, all others by fsspec. Credentials and
    endpoints come from the environment, as for the providers' own tools, or from the URI's query
    (`s3://bucket/folder?endpoint_override=http://127.0.0.1:9000`).

    Raises:
        InfrastructureError: nothing can open such a URI.
    """
    if not is_uri(location):
        return Location(location, fs.LocalFileSystem(), str(Path(location)))
    try:
        system, root = _opened(location)
    except (ValueError, ImportError, OSError, pa.ArrowException) as error:
        raise InfrastructureError(
            f"dataset {location}: no file system for it ({reason_of(error)}); mend dataset.path"
        ) from None
    return Location(location, system, root)


def _opened(uri: str) -> tuple[fs.FileSystem, str]:
    try:
        return fs.FileSystem.from_uri(uri)
    except pa.ArrowInvalid as error:
        if "filesystem type" not in str(error):  # else the URI is wrong
            raise
    import fsspec

    system, root = fsspec.core.url_to_fs(uri)
    return fs.PyFileSystem(fs.FSSpecHandler(system)), root
