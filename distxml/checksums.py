"""`SHA256SUMS` of a checkpoint or an evaluation: noted when its files are written, compared whenever one is read.

The layout is that of the program of the same name: `sha256sum -c SHA256SUMS` compares them without distxml.
"""

from collections.abc import Iterable
from pathlib import Path

from distxml.digest import digest_of, file_digest
from distxml.errors import UserError, reason_of
from distxml.files import write_whole

SUMS_NAME = "SHA256SUMS"
REMEDY = "copy the checkpoint again from where it was whole, or name another one"


def note_sums(folder: Path) -> None:
    """Note the sums of all files of a folder, which were just written."""
    files = sorted(path for path in folder.iterdir() if path.name != SUMS_NAME)
    write_whole(folder / SUMS_NAME, "".join(f"{file_digest(path)}  {path.name}\n" for path in files))


def noted_sum(folder: Path, name: str) -> str:
    """The SHA-256 that a file of a checkpoint had when it was written: of what was read, where it was read before.

    Raises:
        UserError: it was never noted.
    """
    try:
        return _noted(folder)[name]
    except (OSError, KeyError):
        raise UserError(f"checkpoint {folder}: {SUMS_NAME} holds no sum of {name}; {REMEDY}") from None


def damage_of_files(folder: Path, names: Iterable[str]) -> str | None:
    """What is wrong with these files of such a folder; None: each is what was written."""
    try:
        noted = _noted(folder)
        changed = [name for name in names if file_digest(folder / name) != noted.get(name)]
    except OSError as error:
        return _unreadable(error)
    return _changed(", ".join(changed)) if changed else None


def read_checked(folder: Path, name: str) -> bytes:
    """The content of a file of a checkpoint: what was written, nothing else.

    Raises:
        UserError: it was changed, cannot be read, or its sum was never noted.
    """
    try:
        content = (folder / name).read_bytes()
        damage = None if digest_of(content) == _noted(folder).get(name) else _changed(name)
    except OSError as error:
        content, damage = b"", _unreadable(error)
    if damage is not None:
        raise UserError(f"checkpoint {folder}: {damage}; {REMEDY}")
    return content


def _noted(folder: Path) -> dict[str, str]:
    """Sums by name; a line that is damaged is no file's sum."""
    lines = (folder / SUMS_NAME).read_bytes().decode(errors="replace").splitlines()
    return {name: sha256 for sha256, _, name in (line.partition("  ") for line in lines)}


def _changed(names: str) -> str:
    return f"{names} is not what was written: its SHA-256 is not the one in {SUMS_NAME}"


def _unreadable(error: OSError) -> str:
    return f"{Path(str(error.filename)).name} cannot be read ({reason_of(error)})"
