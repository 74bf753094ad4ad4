"""`Publisher`: the one process that may add to a run in a store, until another begins.

No store has to lock, rename or write on a condition for that. A publisher has a number and a token of its own, and
writes ledgers under these alone; the run is what the newest publisher's ledger says. So whatever an older one still
writes, nobody reads. To begin, it writes a ledger and only then reads that of the one before; to publish, one writes a
ledger and only then looks whether it is still the newest. Whichever comes second sees the other: what was published in
time is taken over, and whoever was too late is told. All that it takes is a store whose lists and reads
show what was written before (S3, Google's, Azure's and HDFS do).
"""

import platform
import threading
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from distxml.digest import file_digest
from distxml.errors import UserError
from distxml.storage.files import Store
from distxml.storage.ledger import DIGITS, Ledger, LedgerName, StoredFile, parse_ledger, parse_name

ATTEMPTS_TO_BEGIN = 5
UPLOADS_AT_ONCE = 4
LEDGERS, VERSIONS = "ledger", "versions"
"""Folders of a part: of its ledgers, and of the objects that these name."""


class Superseded(UserError):
    """Another command has begun to publish this run."""


def read_newest(store: Store, part: str) -> Ledger | None:
    """What the run consists of: the newest whole ledger that is more than a claim; None where there is none.

    Args:
        store: of the run.
        part: folder in it that has a ledger and publishers of its own.

    Raises:
        InfrastructureError: the store does not answer.
    """
    while True:
        try:
            return _newest_whole(store, part, [name for name in _names(store, part) if name.sequence])
        except FileNotFoundError:
            continue  # a newer one has taken its place meanwhile


def newest_driver(store: Store, part: str) -> str | None:
    """Token of the command whose process is the newest publisher, or is about to be; None: there is none."""
    while True:
        try:
            newest = _newest_whole(store, part, _names(store, part))
            return newest.driver if newest else None
        except FileNotFoundError:
            continue


@dataclass
class Publisher:
    """Adds to a run.

    Attributes:
        store: of the run.
        part: of the run.
        ledger: what this publisher has published last.
    """

    store: Store
    part: str
    ledger: Ledger
    _follows: tuple[int, str] | None = None  # place of the publisher whose units it took over
    _kept: set[str] = field(default_factory=set)  # objects of the ledger before, for whoever reads it now
    _sequence: int = 1  # counts failures too: no two ledgers may have it
    _alone: threading.Lock = field(default_factory=threading.Lock)

    @staticmethod
    def begin(store: Store, part: str, driver: str | None = None) -> "Publisher":
        """Become the newest publisher, of what the one before has published.

        Args:
            store: of the run.
            part: of the run.
            driver: token of the command that this process works for; None: it is a command of its own.

        Raises:
            Superseded: it works for a command that is not the newest.
            InfrastructureError: the store does not answer.
        """
        for _ in range(ATTEMPTS_TO_BEGIN):
            begun = _begin(store, part, driver)
            if begun is not None:
                return begun
        raise _superseded(store)

    def check(self) -> list[LedgerName]:
        """All ledgers.

        Raises:
            Superseded: another one has begun.
        """
        names = _names(self.store, self.part)
        if not names or names[-1].place != self.ledger.place:
            raise _superseded(self.store)
        return names

    def publish(
        self,
        files: Mapping[str, Mapping[str, Path]],
        kept: Mapping[str, str] | None = None,
        also: Mapping[str, str] | None = None,
    ) -> None:
        """Publish units, all of them or none.

        Args:
            files: by unit and name.
            kept: units that get what other units have held until now, if anything.
            also: units that are the same as others which are published now.

        Raises:
            Superseded: another one has begun, and has taken this over only if it was in time.
            InfrastructureError: the store does not take it; what was published before stays.
        """
        with self._alone:
            self.check()
            self._sequence += 1
            writer = f"{_digits(self.ledger.number)}-{self.ledger.token}"
            version = f"{self.part}/{VERSIONS}/{writer}-{_digits(self._sequence)}"
            before, new = self.ledger.units, {unit: self._upload(f"{version}/{unit}", files[unit]) for unit in files}
            moved = {unit: before[other] for unit, other in (kept or {}).items() if other in before}
            self._write(before | moved | new | {unit: new[other] for unit, other in (also or {}).items()})

    def _upload(self, place: str, paths: Mapping[str, Path]) -> dict[str, StoredFile]:
        """Several files at once: most of the time goes into waiting for answers."""

        def upload(name: str) -> StoredFile:
            path = paths[name]
            stored = place if place.endswith(f"/{name}") else f"{place}/{name}"
            file = StoredFile(object=stored, sha256=file_digest(path), size=path.stat().st_size)
            self.store.put(stored, path)
            return file

        with ThreadPoolExecutor(UPLOADS_AT_ONCE) as pool:
            return dict(zip(paths, pool.map(upload, paths), strict=True))

    def _write(self, units: dict[str, dict[str, StoredFile]]) -> None:
        """Write the ledger, then remove what neither it nor the one before it names."""
        before = self.ledger
        after = before.model_copy(update={"units": units, "sequence": self._sequence})
        _put(self.store, self.part, after)
        self.ledger = after
        names = self.check()  # from here on whoever begins reads what was written now
        old = [name for name in names if name.place == after.place][:-2]
        doomed = self._kept - after.objects() - before.objects()
        self._kept = before.objects()
        self.store.delete(f"{self.part}/{LEDGERS}/{name}" for name in old)
        self._remove(doomed)

    def sweep(self) -> None:
        """Remove what earlier publishers have left: ledgers, and objects that nobody names."""
        names = self.check()
        older = [f"{self.part}/{LEDGERS}/{name}" for name in names if name.place < self.ledger.place]
        older = [name for name in older if self._follows is None or not _is_of(name, self._follows)]
        named = self.ledger.objects() | self._kept
        found = self.store.names(f"{self.part}/{VERSIONS}")
        objects = [name for name in found if name not in named and self._is_earlier(name)]
        self._remove(objects)
        self.store.delete(older)

    def _remove(self, objects: Collection[str]) -> None:
        """A version of which nothing is named any more as a whole: in fewer requests, and without empty folders."""
        named = {_version_of(name) for name in self.ledger.objects() | self._kept}
        for version in sorted({_version_of(name) for name in objects} - named):
            self.store.delete_folder(version)
        self.store.delete(sorted(name for name in objects if _version_of(name) in named))

    def _is_earlier(self, name: str) -> bool:
        """Whether an object is of an earlier publisher of these units."""
        number, _, token = name.removeprefix(f"{self.part}/{VERSIONS}/").partition("-")
        return number.isdigit() and (int(number), token.partition("-")[0]) < self.ledger.place


def _begin(store: Store, part: str, driver: str | None) -> Publisher | None:
    """One try; None where another one has begun at the same moment."""
    names = _names(store, part)
    _require_same_command(store, part, names, driver)
    token = uuid.uuid4().hex
    claim = Ledger(
        number=names[-1].number + 1 if names else 1, token=token, driver=driver or token, host=platform.node()
    )
    _put(store, part, claim)
    try:
        names = [name for name in _names(store, part) if name.place != claim.place]
        if any(name.place > claim.place for name in names):
            store.delete([f"{part}/{LEDGERS}/{claim.name()}"])
            return None
        _require_same_command(store, part, names, driver)
        before = _newest_whole(store, part, [name for name in names if name.sequence])
    except (Superseded, FileNotFoundError) as error:  # not found: its publisher has not seen the claim yet
        store.delete([f"{part}/{LEDGERS}/{claim.name()}"])
        if isinstance(error, Superseded):
            raise
        return None
    first = claim.model_copy(update={"units": before.units if before else {}, "sequence": 1})
    _put(store, part, first)
    return Publisher(store, part, first, before.place if before else None)


def _require_same_command(store: Store, part: str, names: Sequence[LedgerName], driver: str | None) -> None:
    """Whoever works for a command may follow that command's publishers alone."""
    if driver is None:
        return
    newest = _newest_whole(store, part, names)
    if newest is None or newest.driver != driver:
        raise _superseded(store)


def _newest_whole(store: Store, part: str, names: Sequence[LedgerName]) -> Ledger | None:
    """
    Raises:
        FileNotFoundError: one has gone since it was listed.
    """
    for name in reversed(names):
        ledger = parse_ledger(name, store.get(f"{part}/{LEDGERS}/{name}"))
        if ledger is not None:
            return ledger
    return None


def _digits(number: int) -> str:
    return f"{number:0{DIGITS}d}"


def _version_of(name: str) -> str:
    """Folder of the objects that were published together."""
    above, _, within = name.rpartition(f"/{VERSIONS}/")
    return f"{above}/{VERSIONS}/{within.partition('/')[0]}"


def _is_of(name: str, place: tuple[int, str]) -> bool:
    parsed = parse_name(name)
    return parsed is not None and parsed.place == place


def _names(store: Store, part: str) -> list[LedgerName]:
    """Of all ledgers, the oldest first."""
    found: Iterable[LedgerName | None] = (parse_name(name) for name in store.names(f"{part}/{LEDGERS}"))
    return sorted(name for name in found if name is not None)


def _put(store: Store, part: str, ledger: Ledger) -> None:
    store.put(f"{part}/{LEDGERS}/{ledger.name()}", ledger.content())


def _superseded(store: Store) -> Superseded:
    return Superseded(f"{store.name}: another `distxml` command has taken over this run; this one stops")
