"""A folder that appears under its name only when it is complete."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from distxml.errors import UserError


@contextmanager
def folder_in_making(target: Path) -> Iterator[Path]:
    """An empty folder beside `target`, renamed to it on success and removed on failure.

    A process that is killed leaves the folder behind; the next one empties it. A lock on it, which dies with its
    process, keeps two of them apart.

    Raises:
        UserError: another process is building `target`, or the disk does not let us write.
    """
    making = target.with_name(f".{target.name}.distxml-building")
    try:
        making.mkdir(parents=True, exist_ok=True)
        lock = _lock(making, target)
        try:
            _empty(making)
            yield making
            making.rename(target)
        except BaseException:
            shutil.rmtree(making, ignore_errors=True)
            raise
        finally:
            os.close(lock)
    except OSError as error:
        raise UserError(f"{target}: cannot be written ({error.strerror or error}); name another folder") from error


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


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
