"""A store on this machine's disk that does something else just before one of the calls made to it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from pyarrow import fs

from distxml.storage.files import Store
from distxml.storage.patience import Patience


@dataclass
class Calls:
    """Counts calls; before call number `at` it does `then`, once."""

    at: int | None = None
    then: Callable[[], object] = lambda: None
    made: int = 0
    busy: bool = field(default=False)

    def count(self) -> None:
        if self.busy:
            return
        self.made += 1
        if self.made == self.at:
            self.busy = True
            self.then()
            self.busy = False


@dataclass(frozen=True)
class CountedStore(Store):
    """Every call that reaches the file system is counted."""

    calls: Calls = field(default_factory=Calls)

    def names(self, prefix: str = "") -> dict[str, int]:
        self.calls.count()
        return super().names(prefix)

    def get(self, name: str) -> bytes:
        self.calls.count()
        return super().get(name)

    def put(self, name: str, content: bytes | Path) -> None:
        self.calls.count()
        super().put(name, content)

    def delete(self, names: Iterable[str]) -> None:
        for name in names:
            self.calls.count()
            super().delete([name])

    def delete_folder(self, name: str) -> None:
        self.calls.count()
        super().delete_folder(name)


def counted_store(folder: Path, calls: Calls | None = None) -> CountedStore:
    """One that lies in a folder."""
    return CountedStore(f"file://{folder}", fs.LocalFileSystem(), str(folder), Patience(0), calls or Calls())
