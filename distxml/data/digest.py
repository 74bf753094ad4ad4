"""Checksums of what the rows of a dataset say, whatever the Parquet file around them looks like."""

import hashlib
from collections.abc import Iterable
from typing import Protocol


class Encoded(Protocol):
    """A row as far as checksums go."""

    @property
    def key(self) -> str: ...

    @property
    def image(self) -> bytes: ...

    @property
    def mask(self) -> bytes | None: ...

    @property
    def label(self) -> int: ...


def rows_digest(rows: Iterable[Encoded]) -> str:
    """SHA-256 of keys, labels, images and masks, hexadecimal; each part preceded by its length."""
    digest = hashlib.sha256()
    for row in rows:
        for part in (row.key.encode(), row.image, row.mask):
            digest.update(b"-" if part is None else b"%d:" % len(part))
            digest.update(part or b"")
        digest.update(b"%d;" % row.label)
    return digest.hexdigest()


def classes_digest(classes: Iterable[str]) -> str:
    """SHA-256 of class names in label order, hexadecimal."""
    digest = hashlib.sha256()
    for name in classes:
        encoded = name.encode()
        digest.update(b"%d:%s" % (len(encoded), encoded))
    return digest.hexdigest()


def index_digest(keys: Iterable[str], labels: Iterable[int]) -> str:
    """SHA-256 of keys and labels alone, hexadecimal."""
    digest = hashlib.sha256()
    for key, label in zip(keys, labels, strict=True):
        encoded = key.encode()
        digest.update(b"%d:%s%d;" % (len(encoded), encoded, label))
    return digest.hexdigest()
