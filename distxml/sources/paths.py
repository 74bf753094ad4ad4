"""Paths that come from a table or a JSON, which is not trusted: they never lead out of the user's folder."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from distxml.errors import UserError
from distxml.sources.file_item import FileItem
from distxml.sources.files import SUFFIXES, visible_entries
from distxml.sources.material import Rejected, Unusable


def path_below(root: Path, name: str, where: str) -> Path:
    """The file `name` below `root`, whether it is there or not; `\\` counts as `/`.

    Raises:
        UserError: it leads out of `root`, through `..`, from the top, or by a link; `where` is what names it.
    """
    if not name or not name.isprintable():
        raise UserError(f"{where}: {name!a} is not a file name that can be printed; mend it")
    relative = PurePosixPath(name.replace("\\", "/"))
    path = root / relative
    try:
        path.is_file()  # raises where the name is too long, or a folder on the way may not be entered
        inside = not relative.is_absolute() and path.resolve().is_relative_to(root.resolve())
    except (OSError, RuntimeError) as error:  # too long a name; links in a circle
        reason = getattr(error, "strerror", None) or "links in a circle"
        raise UserError(f"{where}: {name!r} cannot be looked for ({reason}); mend it") from None
    if not inside:
        raise UserError(f"{where}: {name!r} leads out of {root}; only files below that folder are read")
    return path


def stays_below(path: Path, root: Path) -> bool:
    """Whether what `path` stands for, links followed, lies below `root`."""
    try:
        return path.resolve().is_relative_to(root.resolve())
    except (OSError, RuntimeError):
        return False


def without_suffix(name: str) -> str:
    """`cat/a.b.jpg` becomes `cat/a.b`."""
    return str(PurePosixPath(name).with_suffix(""))


def group_of(pattern: str | None, name: str) -> str | None:
    """What the pattern's parentheses hold in `name`; None without a pattern.

    Raises:
        Unusable: the pattern is not found, so that nobody knows whose image it is.
    """
    if pattern is None:
        return None
    found = re.search(pattern, name)
    if found is None or not found.group(1):
        raise Unusable(f"source.group_pattern {pattern!r} is not found in {name!r}, so its group is unknown")
    return found.group(1)


def require_distinct_keys(items: Sequence[FileItem], root: Path) -> None:
    """Stop where two images would have one key.

    Raises:
        UserError: naming both.
    """
    names: dict[str, str] = {}
    for item in items:
        other = names.setdefault(item.key, item.name)
        if other != item.name:
            raise UserError(f"{root}: {other} and {item.name} would both have the key {item.key!r}; rename one")


@dataclass(frozen=True)
class Found:
    """Image files by their path below `root`, in the order of their names, and what was passed over."""

    root: Path
    images: dict[str, Path] = field(default_factory=dict)
    rejected: list[Rejected] = field(default_factory=list)

    def left_out(self, path: Path, reason: str) -> None:
        """Notes that `path` is not used."""
        self.rejected.append(Rejected(path.relative_to(self.root).as_posix(), reason))


def find_images(folder: Path, root: Path, deep: bool = True, also: tuple[str, ...] = ()) -> Found:
    """The image files in `folder`, hidden ones passed over.

    Args:
        folder: where to look; `root` or below it.
        root: the user's folder; links that lead out of it are not followed.
        deep: whether to look into folders below.
        also: endings of files that are expected beside the images, and not worth a remark.

    Raises:
        UserError: a folder cannot be read.
    """
    found = Found(root)
    _look(folder, found, deep, also)
    return found


def _look(folder: Path, found: Found, deep: bool, also: tuple[str, ...]) -> None:
    for path in visible_entries(folder):
        if not path.name.isprintable():
            found.left_out(path, "the file's name holds characters that cannot be printed")
        elif path.is_symlink() and (path.is_dir() or not stays_below(path, found.root)):
            found.left_out(path, f"a link to a folder or out of {found.root.name}; links like that are not followed")
        elif path.is_dir() and deep:
            _look(path, found, deep, also)
        elif path.is_file() and path.suffix.lower() in SUFFIXES:
            found.images[path.relative_to(found.root).as_posix()] = path
        elif not path.name.lower().endswith(also or "\0"):
            found.left_out(path, f"not an image file ({' '.join(SUFFIXES)})")
