"""A folder that appears under its name only when it is complete."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from distxml.errors import UserError, is_disk_full, reason_of
from distxml.files import give_name, is_unfinished
from distxml.locks import Lock, try_lock_folder

RESUMED = "distxml-building"
"""What the hidden folder of a build is called; the next build resumes in it."""
REDONE = "distxml-export"
"""What the hidden folder of an export is called; the next export starts over."""


@contextmanager
def folder_in_making(target: Path, kind: str = RESUMED) -> Iterator[Path]:
    """The hidden folder `.NAME.kind` beside `target`, renamed to it on success; an empty one is removed.

    On failure a folder of kind RESUMED stays, if a finished file is in it, and the error says so. What a process that
    was killed left is there for the next one, whatever the kind. A lock on the folder, which dies with its process,
    keeps two of them apart.

    Raises:
        UserError: another process is building `target`, something else is there now, or a file cannot be read or
            written.
    """
    making = target.with_name(f".{target.name}.{kind}")
    lock = _locked(making, target)
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
        lock.release()


def _locked(making: Path, target: Path) -> Lock:
    """Makes the folder and locks it."""
    try:
        lock = try_lock_folder(making)
    except OSError as error:
        raise UserError(f"{target}: cannot be written ({reason_of(error)}); name another folder") from error
    if lock is None:
        raise UserError(f"{target}: another process is building it; wait until that is done")
    return lock


def _appear(making: Path, target: Path) -> None:
    if not any(making.iterdir()):
        making.rmdir()
        return
    try:
        give_name(making, target)
    except FileExistsError:
        raise UserError(f"{target}: exists now, but did not before; name another folder") from None


def _in_words(error: OSError, target: Path) -> UserError:
    """Names the file that the error is about; one that is raised while a file is open knows none."""
    name = str(target if error.filename is None else error.filename)
    shown = name if name.isprintable() else ascii(name)
    if is_disk_full(error):
        return UserError(f"{shown}: cannot be written ({reason_of(error)}); make room or name another folder")
    return UserError(f"{shown}: {reason_of(error)}; mend that and give the same command again")


def _what_is_kept(making: Path, kind: str) -> str:
    """Removes what nobody can resume from; else says where it is, for the end of a message."""
    if kind == RESUMED and any(_is_finished(path) for path in making.rglob("*")):
        return f"; what is done is kept in {making}"
    shutil.rmtree(making, ignore_errors=True)
    return ""


def _is_finished(path: Path) -> bool:
    return path.is_symlink() or (path.is_file() and not is_unfinished(path))
