"""SHA-256 against published values and Python's own."""

import hashlib
import io
from pathlib import Path

from distxml.digest import CHUNK, digest_of, file_digest, stream_digest

ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
"""FIPS 180-2, appendix B.1."""


def test_published_values(tmp_path: Path) -> None:
    (tmp_path / "abc").write_bytes(b"abc")
    assert digest_of("abc") == digest_of(b"abc") == file_digest(tmp_path / "abc") == ABC


def test_a_copy_is_made_in_the_same_pass() -> None:
    content = bytes(range(256)) * (2 * CHUNK // 256) + b"end"
    copy = io.BytesIO()
    assert stream_digest(io.BytesIO(content), copy) == hashlib.sha256(content).hexdigest()
    assert copy.getvalue() == content


def test_a_name_that_is_no_text() -> None:
    assert digest_of("a\udcff") == digest_of("a?")
