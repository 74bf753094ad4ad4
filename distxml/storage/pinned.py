"""A folder of a run as it was at one moment, for processes of other nodes."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from distxml.config.run_folder import RunFolder
from distxml.storage.fetching import fetch_folder
from distxml.storage.files import open_store
from distxml.storage.ledger import StoredFile
from distxml.storage.staging import temporary_staging
from distxml.storage.stored_run import StoredRun


@dataclass(frozen=True)
class PinnedFolder:
    """May be sent to other processes.

    Attributes:
        path: where it is on the node that it was pinned on, and on every node where the run is on a disk.
        uri: of the run's store; None: a disk.
        files: the objects, where the run is in a store.
    """

    path: Path
    uri: str | None = None
    files: tuple[tuple[str, StoredFile], ...] = ()

    @contextmanager
    def here(self, *names: str) -> Iterator[Path]:
        """The folder on this node, as long as the block lasts; with the files that are named, or all."""
        if self.uri is None:
            yield self.path
            return
        with temporary_staging(self.uri) as staging:
            folder = staging / self.path.name
            fetch_folder(open_store(self.uri), dict(self.files), folder, names)
            yield folder


def pinned(run: RunFolder, folder: Path) -> PinnedFolder:
    """A folder of the run, as its ledger says now."""
    if isinstance(run, StoredRun):
        return PinnedFolder(folder, str(run), tuple(run.files_of(folder).items()))
    return PinnedFolder(folder.resolve())
