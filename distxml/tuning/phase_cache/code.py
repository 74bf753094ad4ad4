"""The code that modules depend on: what they import of this package, read from the source without running it.

So a new file counts as soon as something that counts imports it, without being listed anywhere.
"""

import ast
import hashlib
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import distxml
from distxml.digest import file_digest

INSTALLED = Path(distxml.__file__).parent

ADDRESS = re.compile(r"(\w+(?:\.\w+)+)(:\w+)?")
"""A string that names a module, or something in it as registries do: imported by name when it is used."""


@cache
def code_digest(entries: tuple[str, ...], left_out: tuple[str, ...], package: Path = INSTALLED) -> str:
    """SHA-256 of the names and sources of the `closure`, hexadecimal; the same wherever the package is installed."""
    digest = hashlib.sha256()
    for name, path in closure(entries, left_out, package).items():
        digest.update(f"{name}:{file_digest(path)};".encode())
    return digest.hexdigest()


def closure(entries: Iterable[str], left_out: Iterable[str] = (), package: Path = INSTALLED) -> dict[str, Path]:
    """The source of every module that the entries import, also inside functions and by name, and of the entries.

    Args:
        entries: modules, dotted.
        left_out: modules, or packages with all that is in them, that do not count.
        package: the folder of the package, whose name modules begin with.

    Raises:
        ModuleNotFoundError: a module that is given or imported has no file: code has moved.
    """
    ignored = tuple(left_out)
    for name in ignored:
        _source(name, package)
    found: dict[str, Path] = {}
    waiting = list(entries)
    while waiting:
        name = waiting.pop()
        if name in found or any(f"{name}.".startswith(f"{each}.") for each in ignored):
            continue
        found[name] = _source(name, package)
        waiting += _imports(name, found[name], package)
    return dict(sorted(found.items()))


def _source(name: str, package: Path) -> Path:
    """The file of a module; of a package its `__init__.py`."""
    path = _find(name, package)
    if path is None:
        raise ModuleNotFoundError(f"{name} has no file in {package}: the code that a phase depends on is not known")
    return path


def _find(name: str, package: Path) -> Path | None:
    place = package.parent.joinpath(*name.split("."))
    return next((path for path in (place.with_suffix(".py"), place / "__init__.py") if path.is_file()), None)


def _imports(name: str, path: Path, package: Path) -> Iterator[str]:
    """The package's modules that one of them imports, and the packages that those lie in."""
    home = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_bytes())):
        for target in _targets(node, home, package):
            parts = target.split(".")
            if parts[0] == package.name:
                yield from (".".join(parts[:length]) for length in range(1, len(parts) + 1))


def _targets(node: ast.AST, home: str, package: Path) -> Iterator[str]:
    """Modules, of whatever package, that a piece of source imports; `home` is the package that it lies in."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        above = home.split(".")[: len(home.split(".")) - node.level + 1] if node.level else []
        base = ".".join([*above, *([node.module] if node.module else [])])
        yield base
        yield from (found for alias in node.names if _find(found := f"{base}.{alias.name}", package))
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        match = ADDRESS.fullmatch(node.value)
        if match and (match[2] or _find(match[1], package)):
            yield match[1]
