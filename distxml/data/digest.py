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

    @property
    def group(self) -> str | None: ...


def rows_digest(rows: Iterable[Encoded]) -> str:
    """SHA-256 of keys, labels, groups, images and masks, hexadecimal; each part preceded by its length."""
    digest = hashlib.sha256()
    for row in rows:
        for part in (row.key.encode(), row.image, row.mask, _encoded(row.group)):
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


def index_digest(keys: Iterable[str], labels: Iterable[int], groups: Iterable[str | None]) -> str:
    """SHA-256 of keys, labels and groups alone, hexadecimal."""
    digest = hashlib.sha256()
    for key, label, group in zip(keys, labels, groups, strict=True):
        name, own = key.encode(), _encoded(group)
        digest.update(b"%d:%s%d;" % (len(name), name, label))
        digest.update(b"-" if own is None else b"%d:%s" % (len(own), own))
    return digest.hexdigest()


def _encoded(text: str | None) -> bytes | None:
    return None if text is None else text.encode()
