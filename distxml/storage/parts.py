"""A folder of parts that many processes add to and nobody changes: of a disk, or of a store."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from distxml.files import remove_unfinished, write_whole
from distxml.storage.files import Store, open_store

READS_AT_ONCE = 16


class Parts(Protocol):
    """What parts can be asked for; each is written whole or not at all."""

    def prepare(self) -> None:
        """Make the folder, and remove half-written parts of a crash."""

    def names(self) -> list[str]:
        """Of all parts, sorted."""
        ...

    def read(self, names: Sequence[str]) -> dict[str, bytes | None]:
        """Their contents; None of those that cannot be read."""
        ...

    def write(self, name: str, content: bytes) -> None:
        """Add a part, or write the same one again."""

    def remove(self, name: str) -> None:
        """It may be gone already."""


@dataclass(frozen=True)
class DiskParts:
    """A folder of a disk, which nodes may share."""

    folder: Path

    def prepare(self) -> None:
        """See `Parts`."""
        self.folder.mkdir(parents=True, exist_ok=True)
        remove_unfinished(self.folder)

    def names(self) -> list[str]:
        """See `Parts`."""
        return sorted(path.name for path in self.folder.iterdir()) if self.folder.is_dir() else []

    def read(self, names: Sequence[str]) -> dict[str, bytes | None]:
        """See `Parts`."""
        return {name: self._content(name) for name in names}

    def write(self, name: str, content: bytes) -> None:
        """See `Parts`."""
        write_whole(self.folder / name, content)

    def remove(self, name: str) -> None:
        """See `Parts`."""
        (self.folder / name).unlink(missing_ok=True)

    def _content(self, name: str) -> bytes | None:
        try:
            return (self.folder / name).read_bytes()
        except OSError:
            return None


@dataclass(frozen=True)
class StoredParts:
    """A folder of a store; may be sent to other processes, which open it with what their environment says."""

    uri: str

    def prepare(self) -> None:
        """See `Parts`; an object store has neither folders nor halves."""

    def names(self) -> list[str]:
        """See `Parts`."""
        return sorted(self._store.names())

    def read(self, names: Sequence[str]) -> dict[str, bytes | None]:
        """See `Parts`; several at once, as most of the time goes into waiting for answers."""
        with ThreadPoolExecutor(READS_AT_ONCE) as pool:
            return dict(zip(names, pool.map(self._content, names), strict=True))

    def write(self, name: str, content: bytes) -> None:
        """See `Parts`."""
        self._store.put(name, content)

    def remove(self, name: str) -> None:
        """See `Parts`."""
        self._store.delete([name])

    def _content(self, name: str) -> bytes | None:
        try:
            return self._store.get(name)
        except FileNotFoundError:
            return None

    @property
    def _store(self) -> Store:
        return _opened(self.uri)


@lru_cache(maxsize=8)
def _opened(uri: str) -> Store:
    return open_store(uri)
