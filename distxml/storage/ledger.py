"""`Ledger`: which objects make up a run, with their checksums; one small object that is written last.

Its name says whose it is, which of theirs it is and what its SHA-256 is: readers find the newest whole one without
asking whether it was written to the end.
"""

from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from distxml.digest import digest_of

DIGITS = 6
SUM_DIGITS = 16


class StoredFile(BaseModel):
    """An object, under the name that the file has in its unit."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    object: str
    sha256: str
    size: int


class Ledger(BaseModel):
    """Everything that a run consists of, as its newest writer has published it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Literal[1] = 1
    number: int
    """Of the writer: one more than that of the writer before."""
    token: str
    """Of the writer: another one each time."""
    driver: str
    """Token of the command that the writer belongs to."""
    host: str
    """Where the writer runs."""
    sequence: int = 0
    """How often this writer has published; 0: it has only claimed that it will."""
    units: dict[str, dict[str, StoredFile]] = {}
    """Files by unit (path of a folder or a file in the run) and name."""

    @property
    def place(self) -> tuple[int, str]:
        """Writers are ordered by this."""
        return self.number, self.token

    def objects(self) -> set[str]:
        """All that is named."""
        return {file.object for files in self.units.values() for file in files.values()}

    def content(self) -> bytes:
        """What is written."""
        return self.model_dump_json(indent=1).encode()

    def name(self) -> str:
        """Of its object, within the folder of ledgers."""
        return str(LedgerName(self.number, self.token, self.sequence, digest_of(self.content())[:SUM_DIGITS]))


@dataclass(frozen=True, order=True)
class LedgerName:
    """What an object's name says of the ledger in it; ordered from the oldest to the newest."""

    number: int
    token: str
    sequence: int
    sum_: str

    @property
    def place(self) -> tuple[int, str]:
        """Of its writer."""
        return self.number, self.token

    def __str__(self) -> str:
        return f"{self.number:0{DIGITS}d}-{self.token}-{self.sequence:0{DIGITS}d}-{self.sum_}.json"


def parse_name(name: str) -> LedgerName | None:
    """None: no ledger's."""
    stem, _, ending = name.rpartition("/")[2].rpartition(".")
    parts = stem.split("-")
    if ending != "json" or len(parts) != 4 or not (parts[0].isdigit() and parts[2].isdigit()):
        return None
    return LedgerName(int(parts[0]), parts[1], int(parts[2]), parts[3])


def parse_ledger(name: LedgerName, content: bytes) -> Ledger | None:
    """None: it is not what was written."""
    if digest_of(content)[:SUM_DIGITS] != name.sum_:
        return None
    try:
        return Ledger.model_validate_json(content)
    except ValidationError:
        return None
