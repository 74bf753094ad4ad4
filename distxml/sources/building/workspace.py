"""A folder that appears under its name only when it is complete."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from distxml.errors import UserError


@contextmanager
def folder_in_making(target: Path) -> Iterator[Path]:
    """A folder beside `target`, renamed to it on success; on failure it stays, if there is something in it.

    What a process that failed or was killed left in it is there for the next one. A lock on it, which dies with its
    process, keeps two of them apart.

    Raises:
        UserError: another process is building `target`, or the disk does not let us write.
    """
    making = target.with_name(f".{target.name}.distxml-building")
    try:
        making.mkdir(parents=True, exist_ok=True)
        lock = _lock(making, target)
        try:
            yield making
            making.rename(target)
        except BaseException:
            _remove_if_empty(making)
            raise
        finally:
            os.close(lock)
    except OSError as error:
        raise UserError(
            f"{target}: cannot be written ({error.strerror or error}); "
            "make room or name another folder; what is done already is kept"
        ) from error


def _lock(making: Path, target: Path) -> int:
    lock = os.open(making, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        renamed = not making.exists() or not os.path.samestat(os.fstat(lock), making.stat())
    except BlockingIOError:
        renamed = True
    if renamed:
        os.close(lock)
        raise UserError(f"{target}: another process is building it; wait until that is done")
    return lock


def _remove_if_empty(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()
