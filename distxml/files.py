"""Files and folders that appear whole or not at all, and that are on the disk when a call returns.

The one place that knows how: under a temporary name first, flushed, then renamed. Callers never rename, link or flush,
so that a run's folder may one day lie where there is no rename. What a killed process leaves has a name that
`is_unfinished` knows; readers look names up and never meet it.
"""

import errno
import os
import shutil
import uuid
from collections.abc import Container, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

_UNFINISHED = ".unfinished"
_NO_FOLDER_SYNC = (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP)
"""What a file system answers that cannot flush a folder's list of names."""


def write_whole(path: Path, content: str | bytes) -> None:
    """Write a file, text as UTF-8; one that is there is replaced.

    Raises:
        OSError: it cannot be written; one that is there stays as it is.
    """
    with whole_file(path) as file:
        file.write(content.encode() if isinstance(content, str) else content)


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A file to write into. It gets the name `path` when the block ends well; otherwise all stays as it is.

    Raises:
        OSError: it cannot be written.
    """
    fresh = _unfinished(path)
    try:
        with fresh.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
        _flush_folder(path.parent)
    finally:
        fresh.unlink(missing_ok=True)


def append(path: Path, text: str) -> None:
    """Add UTF-8 text to the end of a file, which is made if need be; only a crash of this very call leaves it cut off.

    Raises:
        OSError: it cannot be written.
    """
    new = not path.exists()
    with path.open("ab") as file:
        file.write(text.encode())
        file.flush()
        os.fsync(file.fileno())
    if new:
        _flush_folder(path.parent)


@contextmanager
def whole_folder(target: Path, keep_as: Path | None = None) -> Iterator[Path]:
    """A folder to write into. It gets the name `target` when the block ends well; otherwise it goes.

    A folder that is there is replaced. A crash in between leaves it where `present_folder` finds it.

    Args:
        target: the name; folders above it are made.
        keep_as: the name that the replaced folder gets, which is replaced in its turn; None: it is removed.

    Raises:
        OSError: it cannot be written; the folder that was there has its name still, or, where everything was renamed
            but could not be flushed, the new one has it.
    """
    for name in (target, keep_as or target):
        _restore(name)
    with _fresh_folder(target) as fresh:
        yield fresh
        _flush_tree(fresh)
        if keep_as is None or not target.exists():
            _replace(fresh, target)
            return
        try:
            _replace(target, keep_as)
            _replace(fresh, target)
        except OSError:
            if not target.exists():
                keep_as.rename(target)
            raise


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """As `whole_folder`, but never replaces: several processes may try, and the first one wins.

    Raises:
        FileExistsError: the folder is there, perhaps since a moment ago.
        OSError: it cannot be written.
    """
    with _fresh_folder(target) as fresh:
        yield fresh
        give_name(fresh, target)


def give_name(folder: Path, target: Path) -> None:
    """Rename a folder that is complete, flushed.

    Raises:
        FileExistsError: something has that name, other than an empty folder.
        OSError: it cannot be written.
    """
    _flush_tree(folder)
    try:
        folder.rename(target)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target)) from None
        raise
    _flush_folder(target.parent)


def copy_folder(source: Path, target: Path) -> None:
    """Give a folder's files a second name, in the folder `target`, which is replaced; they must not change any more.

    Raises:
        OSError: it cannot be written.
    """
    with whole_folder(target) as fresh:
        shutil.copytree(source, fresh, copy_function=_link_or_copy, dirs_exist_ok=True)


def present_folder(target: Path) -> Path:
    """Where the folder of that name is: a crash may have come while another was about to replace it."""
    old = _old(target)
    return old if old.exists() and not target.exists() else target


def remove_folder(folder: Path) -> None:
    """Remove a folder, at once, so that nobody finds half of it; another process may have removed it already."""
    doomed = _unfinished(folder)
    with suppress(OSError):
        folder.rename(doomed)
    _remove(doomed)


def empty_folder(folder: Path, keep: Container[Path] = ()) -> None:
    """Remove what is in a folder, except the paths in `keep`; links are removed, not followed."""
    for path in folder.iterdir():
        if path in keep:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def is_unfinished(path: Path) -> bool:
    """Whether a file or folder is one that was never completed."""
    return path.name.endswith(_UNFINISHED)


def remove_unfinished(folder: Path, name: str = "*") -> None:
    """Remove what killed processes left in a folder of the file or folder `name`, which nobody else writes now."""
    for path in folder.glob(f".{name}.*{_UNFINISHED}"):
        if path.is_dir():
            _remove(path)
        else:
            path.unlink(missing_ok=True)


@contextmanager
def published_together(out: Path, last: str, withdrawn: Sequence[str] = ()) -> Iterator[Path]:
    """A folder to write into; its files move into `out` when all went well, otherwise `out` stays as it was.

    Files of the same names are replaced, and those named in `withdrawn` are removed. `last` is the name of the file
    that lists the others: it leaves before they are replaced and comes after them, so that even a process that is
    killed leaves no list of files that are others.

    Raises:
        OSError: `out` cannot be written.
    """
    made = [folder for folder in (out, *out.absolute().parents) if not folder.exists()]
    staging = None
    try:
        out.mkdir(parents=True, exist_ok=True)
        staging = _unfinished(out / "files")
        fresh, old = staging / "fresh", staging / "old"
        fresh.mkdir(parents=True)
        old.mkdir()
        yield fresh
        _flush_tree(fresh)
        names = [*sorted(path.name for path in fresh.iterdir() if path.name != last), last]
        _swap(names, [name for name in withdrawn if name not in names], fresh, old, out)
    except BaseException:
        if staging is not None:
            _remove(staging)
        _remove_empty(made)
        raise
    _remove(staging)


def _swap(names: Sequence[str], withdrawn: Sequence[str], fresh: Path, old: Path, out: Path) -> None:
    """Move the files of `names` from `fresh` to `out`, those there and the withdrawn to `old`; all back on failure."""
    for name in (*names, *withdrawn):
        if (out / name).is_dir():
            raise IsADirectoryError(None, f"{name} is a folder there")
    replaced, published = [], []
    try:
        for name in (*reversed(names), *withdrawn):
            if (out / name).exists():
                (out / name).rename(old / name)
                replaced.append(name)
        _flush_folder(out)  # the list has left before any of the files that it names is replaced
        for name in names:
            if name == names[-1]:
                _flush_folder(out)  # and comes after them
            (fresh / name).rename(out / name)
            published.append(name)
        _flush_folder(out)
    except BaseException:
        for name in published:
            (out / name).unlink()
        for name in reversed(replaced):
            (old / name).rename(out / name)
        raise


def _remove_empty(folders: Sequence[Path]) -> None:
    for folder in folders:
        try:
            folder.rmdir()
        except OSError:  # somebody else has put something there, or it was never made
            return


def _unfinished(path: Path) -> Path:
    """Another one each time: several processes may write the same file."""
    return path.with_name(f".{path.name}.{uuid.uuid4().hex}{_UNFINISHED}")


def _old(target: Path) -> Path:
    return target.with_name(f"{target.name}.old")


@contextmanager
def _fresh_folder(target: Path) -> Iterator[Path]:
    fresh = _unfinished(target)
    try:
        fresh.mkdir(parents=True)
        yield fresh
    finally:
        _remove(fresh)


def _replace(fresh: Path, target: Path) -> None:
    """Give a folder that is on the disk the name `target`, which may be taken."""
    _restore(target)
    old = _old(target)
    if target.exists():
        target.rename(old)
    try:
        fresh.rename(target)
    except OSError:
        _restore(target)
        raise
    _flush_folder(target.parent)
    _remove(old)


def _restore(target: Path) -> None:
    """Undo a replacement that was cut off, or clear up after one that was not."""
    old = _old(target)
    if old.exists() and not target.exists():
        old.rename(target)
    _remove(old)


def _remove(folder: Path) -> None:
    """As far as that goes; what is left has a name that nobody reads."""
    shutil.rmtree(folder, ignore_errors=True)


def _link_or_copy(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # a file system without hard links
        shutil.copy2(source, target)


def _flush_tree(folder: Path) -> None:
    for parent, _, names in os.walk(folder):
        for name in names:
            _flush(Path(parent, name))
        _flush_folder(Path(parent))


def _flush_folder(folder: Path) -> None:
    """Its list of names."""
    try:
        _flush(folder)
    except OSError as error:
        if error.errno not in _NO_FOLDER_SYNC:
            raise


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
