"""A folder that appears under its name only when it is complete."""

import errno
import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from distxml.errors import UserError
from distxml.sources.building.shards import SUFFIX_UNFINISHED

RESUMED = "distxml-building"
"""What the hidden folder of a build is called; the next build goes on in it."""
REDONE = "distxml-export"
"""What the hidden folder of an export is called; the next export begins anew."""

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
OCCUPIED = (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR)


@contextmanager
def folder_in_making(target: Path, kind: str = RESUMED) -> Iterator[Path]:
    """The hidden folder `.NAME.kind` beside `target`, renamed to it on success; one that is left empty just goes.

    On failure a folder of kind RESUMED stays, if a finished file is in it, and the error says so. What a process that
    was killed left is there for the next one, whatever the kind. A lock on the folder, which dies with its process,
    keeps two of them apart.

    Raises:
        UserError: another process is building `target`, something else is there now, or a file cannot be read or
            written.
    """
    making = target.with_name(f".{target.name}.{kind}")
    lock = _open(making, target)
    try:
        yield making
        _appear(making, target)
    except (OSError, UserError) as error:
        plain = error if isinstance(error, UserError) else _in_words(error, target)
        raise UserError(f"{plain}{_what_is_kept(making, kind)}") from error
    except BaseException:
        _what_is_kept(making, kind)
        raise
    finally:
        os.close(lock)


def _open(making: Path, target: Path) -> int:
    """Makes the folder and locks it."""
    try:
        making.mkdir(parents=True, exist_ok=True)
        return _lock(making, target)
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


def _appear(making: Path, target: Path) -> None:
    if not any(making.iterdir()):
        making.rmdir()
        return
    try:
        making.rename(target)
    except OSError as error:
        if error.errno in OCCUPIED:
            raise UserError(f"{target}: exists now, but did not before; name another folder") from None
        raise


def _in_words(error: OSError, target: Path) -> UserError:
    """Names the file that the error is about; one that is raised while a file is open knows none."""
    reason = error.strerror or str(error)
    name = str(target if error.filename is None else error.filename)
    shown = name if name.isprintable() else ascii(name)
    if error.errno in NO_ROOM:
        return UserError(f"{shown}: cannot be written ({reason}); make room or name another folder")
    return UserError(f"{shown}: {reason}; mend that and give the same command again")


def _what_is_kept(making: Path, kind: str) -> str:
    """Clears away what nobody can go on with; else says where it is, for the end of a message."""
    if kind == RESUMED and any(_is_finished(path) for path in making.rglob("*")):
        return f"; what is done is kept in {making}"
    shutil.rmtree(making, ignore_errors=True)
    return ""


def _is_finished(path: Path) -> bool:
    return path.is_symlink() or (path.is_file() and not path.name.endswith(SUFFIX_UNFINISHED))
