"""`StoredRun`: a run in an object store, and the folder of this node that its files pass through."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from distxml.config.run_folder import RunFolder
from distxml.errors import UserError
from distxml.locks import locked
from distxml.storage.fetching import fetch_file, fetch_folder, forget
from distxml.storage.files import PROBE, Store
from distxml.storage.ledger import Ledger, StoredFile
from distxml.storage.publishing import LEDGERS, Publisher, newest_driver, read_newest
from distxml.storage.staging import staging_folder

TRAINING, EVALUATION = "published/training", "published/evaluation"
"""Parts of a run, each with a ledger of its own: one may be evaluated by one command and trained by another."""


@dataclass(frozen=True)
class StoredRun(RunFolder):
    """A run.

    `path` is the folder of this node; what is in it is what was fetched into it, or is to be published.

    Attributes:
        store: where the run is.
    """

    store: Store
    _publishers: dict[str, Publisher] = field(default_factory=dict, compare=False)
    _ledgers: dict[str, Ledger] = field(default_factory=dict, compare=False)

    def __str__(self) -> str:
        return self.store.name

    @property
    def lock(self) -> Path:
        """Only of this node: whoever trains the run on another is told at its next checkpoint."""
        return staging_folder(self.store.name) / ".lock"

    @property
    def evaluation_lock(self) -> Path:
        """As `lock`."""
        return staging_folder(self.store.name) / ".evaluation.lock"

    def named(self, path: Path) -> str:
        return self.store.named(path.relative_to(self.path).as_posix())

    def begin(self, part: str = TRAINING, driver: str | None = None) -> str:
        """Become the one who publishes; see `Publisher.begin`. The token of this publisher."""
        self._publishers[part] = Publisher.begin(self.store, part, driver)
        if driver is None:
            self._publishers[part].sweep()
        return self._publishers[part].ledger.token

    def check_still_ours(self, attempt: str) -> None:
        """
        Raises:
            UserError: another command publishes this run now.
        """
        del attempt  # the publisher knows
        self._publishers[TRAINING].check()

    def files_of(self, path: Path) -> dict[str, StoredFile]:
        """The objects of a folder or a file, by name; none where the run has no such."""
        unit = self._unit(path)
        return self._ledger(_part_of(unit)).units.get(unit, {})

    def fetch(self, path: Path, *names: str) -> None:
        unit, files = self._unit(path), self.files_of(path)
        with locked(self.path.parent / ".fetching"):
            if not files:
                forget(path)
            elif _is_file(unit, files):
                fetch_file(self.store, files[path.name], path)
            else:
                fetch_folder(self.store, files, path, names)

    def publish(
        self,
        *paths: Path,
        kept: Mapping[Path, Path] | None = None,
        also: Mapping[Path, Path] | None = None,
    ) -> None:
        here = [path for path in paths if path.exists()]
        files = {self._unit(path): _files_at(path) for path in here}
        (part,) = {_part_of(unit) for unit in files}
        self._publishers[part].publish(files, self._units(kept), self._units(also))

    def upload(self, *paths: Path) -> None:
        for part, publisher in self._publishers.items():
            if newest_driver(self.store, part) != publisher.ledger.driver:
                return  # what is to be seen is another command's
        for path in paths:
            if path.is_dir():
                self.upload(*sorted(path.iterdir()))
                here = {self._unit(file) for file in path.rglob("*")}
                self.store.delete(name for name in self.store.names(self._unit(path)) if name not in here)
            elif path.is_file():
                self.store.put(self._unit(path), path)
            else:
                self.store.delete([self._unit(path)])

    def has_begun(self) -> bool:
        """Whether anything was ever published.

        Raises:
            UserError: something else is there.
        """
        if self._ledger(TRAINING).units:
            return True
        own = (f"{TRAINING}/{LEDGERS}/", PROBE)
        others = [name for name in self.store.names() if not name.startswith(own)]
        if others:
            raise UserError(
                f"run {self}: the folder is not empty and holds no run ({others[0]}); choose another run.name"
            )
        return False

    def hold(self) -> None:
        """From here on all that is fetched is of the ledgers as they are now: what belongs together stays so."""
        for part in (TRAINING, EVALUATION):
            self._ledgers[part] = self._ledger(part)

    def _ledger(self, part: str) -> Ledger:
        if part in self._publishers:
            return self._publishers[part].ledger
        return self._ledgers.get(part) or read_newest(self.store, part) or NOTHING

    def _unit(self, path: Path) -> str:
        return path.relative_to(self.path).as_posix()

    def _units(self, pairs: Mapping[Path, Path] | None) -> dict[str, str]:
        return {self._unit(path): self._unit(other) for path, other in (pairs or {}).items()}


NOTHING = Ledger(number=0, token="", driver="", host="")


def _part_of(unit: str) -> str:
    return EVALUATION if unit in ("evaluation", "several_runs.json", "several_runs.csv") else TRAINING


def _is_file(unit: str, files: Collection[str]) -> bool:
    return list(files) == [unit.rpartition("/")[2]]


def _files_at(path: Path) -> dict[str, Path]:
    found: Iterable[Path] = sorted(path.iterdir()) if path.is_dir() else [path]
    return {file.name: file for file in found}
