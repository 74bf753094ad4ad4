"""Names of image files below the user's folder: where they lead, never out of it, and the keys and groups in them."""

import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from distxml.errors import UserError, reason_of
from distxml.sources.material import Item, Unusable


def path_below(root: Path, name: str, where: str) -> Path:
    """The file `name` below `root`, whether it is there or not; `\\` counts as `/`.

    The name is from a table or a JSON, which is not trusted; `where` is its place there, for messages.

    Raises:
        UserError: it leads out of `root`, through `..`, from the top, or by a link.
    """
    if not name or not name.isprintable():
        raise UserError(f"{where}: {name!a} is not a file name that can be printed; mend it")
    relative = PurePosixPath(name.replace("\\", "/"))
    path = root / relative
    try:
        path.is_file()  # raises where the name is too long, or a folder on the way may not be entered
        inside = not relative.is_absolute() and path.resolve().is_relative_to(root.resolve())
    except (OSError, RuntimeError) as error:  # too long a name; links in a circle
        raise UserError(f"{where}: {name!r} cannot be looked for ({reason_of(error)}); mend it") from None
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


def require_distinct_keys(items: Sequence[Item], root: Path) -> None:
    """Stop where two images would have one key.

    Raises:
        UserError: naming both.
    """
    names: dict[str, str] = {}
    for item in items:
        other = names.setdefault(item.key, item.name)
        if other != item.name:
            raise UserError(f"{root}: {other} and {item.name} would both have the key {item.key!r}; rename one")
