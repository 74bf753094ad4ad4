"""SHA-256, hexadecimal: of bytes, text and files."""

import hashlib
from pathlib import Path
from typing import Protocol

CHUNK = 1 << 20
"""Bytes that are read at once: one request each, where a file is not of this machine."""


class Readable(Protocol):
    """A file that is open; Arrow's are no `BinaryIO`."""

    def read(self, nbytes: int, /) -> bytes: ...


class Writable(Protocol):
    """Takes a copy."""

    def write(self, data: bytes, /) -> object: ...


def digest_of(content: bytes | str) -> str:
    """Of bytes, or of a text as UTF-8; what is no text in it (a file's name may hold such) counts as `?`."""
    return hashlib.sha256(content.encode(errors="replace") if isinstance(content, str) else content).hexdigest()


def file_digest(path: Path) -> str:
    """Of a file of this machine.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return stream_digest(file)


def stream_digest(file: Readable, copy: Writable | None = None) -> str:
    """Of what is left to read in a file, which is written to `copy` in the same pass."""
    digest = hashlib.sha256()
    while chunk := file.read(CHUNK):
        digest.update(chunk)
        if copy is not None:
            copy.write(chunk)
    return digest.hexdigest()
