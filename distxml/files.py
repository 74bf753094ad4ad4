"""TODO files.py."""

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from distxml.errors import UserError


def link_folder(folder: Path, copy: Path) -> Path:
    """The same files under another folder's name; they are never changed in place."""
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(folder, copy, copy_function=_link_or_copy)
    return copy


def _link_or_copy(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # a file system without hard links
        shutil.copy2(source, target)


def replace_folder(fresh: Path, target: Path) -> None:
    """Give `fresh` the name `target`, which may be taken; see `present_folder`."""
    old = target.with_name(f"{target.name}.old")
    if target.exists():
        shutil.rmtree(old, ignore_errors=True)
        target.rename(old)
    fresh.rename(target)
    shutil.rmtree(old, ignore_errors=True)


def present_folder(target: Path) -> Path:
    """Where the checkpoint of that name is: a crash may have come between the two renames of `replace_folder`."""
    old = target.with_name(f"{target.name}.old")
    return old if old.exists() and not target.exists() else target


def flush(path: Path) -> None:
    """Make the system write a file, or a folder's list of names, to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_whole(path: Path, text: str) -> None:
    """The file as a whole or not at all."""
    fresh = path.with_name(f"{path.name}.new")
    with fresh.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


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
        staging = Path(tempfile.mkdtemp(prefix=".distxml-", dir=out))
        fresh, old = staging / "fresh", staging / "old"
        fresh.mkdir()
        old.mkdir()
        yield fresh
        names = [*sorted(path.name for path in fresh.iterdir() if path.name != last), last]
        _swap(names, [name for name in withdrawn if name not in names], fresh, old, out)
    except BaseException:
        if staging is not None:
            shutil.rmtree(staging, ignore_errors=True)
        _remove_empty(made)
        raise
    shutil.rmtree(staging, ignore_errors=True)


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
        for name in names:
            (fresh / name).rename(out / name)
            published.append(name)
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


def write_page(path: Path, html: str) -> None:
    """Write a page in one step.

    Raises:
        UserError: it cannot be written.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        partial.write_text(html, encoding="utf-8")
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise UserError(f"{path}: cannot be written ({error.strerror or error})") from None
