"""The journal of a build: what is done already, so that the same command resumes after an unplanned end.

It lies in the folder in making, one line per entry, each behind its own checksum. Lines that are damaged or cut short
are skipped: what they told is done again.
"""

import json
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from distxml.data.schema import Shard
from distxml.digest import digest_of, file_digest
from distxml.files import append, empty_folder, write_whole
from distxml.sources.building.fingerprint import Fingerprint
from distxml.sources.building.shards import WrittenShard

JOURNAL_NAME = "journal.jsonl"


class CheckedItem(BaseModel):
    """One item of the source, looked at."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    number: int = Field(ge=0)
    """Place in the source's list."""
    image: str = ""
    """SHA-256 of the image as it goes into the dataset."""
    row: str = ""
    """`rows_digest` of the row: image, mask, key, label and group."""
    remark: str | None = None
    """What was done to the image or is odd about it."""
    reason: str | None = None
    """Why it cannot be used; None: it can."""


class JournalEntry(BaseModel):
    """One line: items that were checked, or a shard that was written."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    of: str
    """Fingerprint of what the entry depends on."""
    checked: tuple[CheckedItem, ...] = ()
    """Items that were checked."""
    shard: Shard | None = None
    """A shard that was written."""
    annotated: int = 0
    """Rows of the shard that have a mask."""


class BuildJournal:
    """Reads what an earlier build has done and notes what this one does.

    Attributes:
        checked: items that were checked.
        shards: written and still the same, by file.
    """

    def __init__(self, folder: Path, fingerprint: Fingerprint) -> None:
        """Takes over the folder: whatever in it is not to be used again is deleted."""
        self.folder, self.fingerprint = folder, fingerprint
        entries = list(_entries(folder / JOURNAL_NAME))
        self.checked = [one for entry in entries if entry.of == fingerprint.checks for one in entry.checked]
        self.shards = {
            entry.shard.file: WrittenShard(entry.shard, entry.annotated)
            for entry in entries
            if entry.of == fingerprint.shards and entry.shard is not None and _is_there(folder, entry.shard)
        }
        self._clear()

    @property
    def found(self) -> str | None:
        """What there was, for the user; None where the build starts afresh."""
        if not self.checked and not self.shards:
            return None
        return f"{len(self.checked)} images checked, {len(self.shards)} shards written"

    def add_checked(self, checked: Sequence[CheckedItem]) -> None:
        """Notes that items were checked."""
        self._write(self._checked_entry(checked))

    def add_shard(self, written: WrittenShard) -> None:
        """Notes that a shard is there."""
        self._write(self._written_entry(written))

    def close(self) -> None:
        """The build is done: the journal is no part of the dataset."""
        (self.folder / JOURNAL_NAME).unlink(missing_ok=True)

    def _clear(self) -> None:
        kept = self.folder / JOURNAL_NAME
        entries = [self._checked_entry(self.checked)] if self.checked else []
        entries += [self._written_entry(written) for written in self.shards.values()]
        if entries:
            write_whole(kept, "".join(map(_line, entries)))
        splits = [path for path in self.folder.iterdir() if path.is_dir() and not path.is_symlink()]
        for split in splits:
            empty_folder(split, keep={self.folder / file for file in self.shards})
        empty_folder(self.folder, keep=[*splits, kept] if entries else splits)

    def _checked_entry(self, checked: Sequence[CheckedItem]) -> JournalEntry:
        return JournalEntry(of=self.fingerprint.checks, checked=tuple(checked))

    def _written_entry(self, written: WrittenShard) -> JournalEntry:
        return JournalEntry(of=self.fingerprint.shards, shard=written.shard, annotated=written.annotated)

    def _write(self, entry: JournalEntry) -> None:
        append(self.folder / JOURNAL_NAME, _line(entry))


def _line(entry: JournalEntry) -> str:
    text = entry.model_dump_json()
    return f"{_digest(text)} {text}\n"


def _entries(path: Path) -> list[JournalEntry]:
    if path.is_symlink() or not path.is_file():
        return []
    entries = []
    for line in path.read_bytes().decode(errors="replace").split("\n"):
        digest, _, text = line.partition(" ")
        if digest == _digest(text):
            try:
                entries.append(JournalEntry.model_validate(json.loads(text)))
            except (ValidationError, ValueError):
                continue  # another version of distxml wrote it
    return entries


def _is_there(folder: Path, shard: Shard) -> bool:
    path = folder / shard.file
    safe = path.resolve().is_relative_to(folder.resolve()) and not path.is_symlink()
    return safe and path.is_file() and file_digest(path) == shard.sha256


def _digest(text: str) -> str:
    return digest_of(text)[:16]
