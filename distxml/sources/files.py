"""Image files as they lie on a disk: which there are, and their bytes."""

from dataclasses import dataclass
from pathlib import Path

from distxml.errors import UserError
from distxml.sources.material import Rejected

SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")


def require_folder(setting: str, folder: Path) -> None:
    """Stop unless `folder`, which the user named in `setting`, is there.

    Raises:
        UserError: it is not, or cannot be asked for.
    """
    if not str(folder).isprintable():
        raise UserError(f"{setting}: {str(folder)!a} holds characters that cannot be printed; rename the folder")
    try:
        present = folder.is_dir()
    except OSError as error:
        raise UserError(f"{setting}: {folder}: cannot be read ({error.strerror}); set {setting}=FOLDER") from None
    if not present:
        raise UserError(f"{setting}: no such folder: {folder}; set {setting}=FOLDER")


def visible_entries(folder: Path) -> list[Path]:
    """What lies directly in `folder`, by name, without what is hidden.

    Raises:
        UserError: it may not be listed, or what lies in it may not be asked for.
    """
    try:
        entries = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
        for path in entries[:1]:
            path.lstat()  # a folder may be listed by someone who may not go into it
    except OSError as error:
        reason = error.strerror or error
        raise UserError(f"{folder}: cannot be read ({reason}); change its permissions or name another") from None
    return entries


@dataclass(frozen=True)
class Listing:
    """The image files of a folder by stem, and the files that are none."""

    by_stem: dict[str, Path]
    others: list[Rejected]


def list_images(folder: Path) -> Listing:
    """Image files directly in `folder`, by name; hidden files and XML are passed over.

    Raises:
        UserError: the folder cannot be read, or two image files have the same stem, so that a key would not be unique.
    """
    listing = Listing({}, [])
    for path in visible_entries(folder):
        if path.suffix.lower() == ".xml":
            continue
        if not path.name.isprintable():
            listing.others.append(Rejected(path.name, "the file's name holds characters that cannot be printed"))
        elif not path.is_file() or path.suffix.lower() not in SUFFIXES:
            listing.others.append(Rejected(path.name, f"not an image file ({' '.join(SUFFIXES)})"))
        elif path.stem in listing.by_stem:
            other = listing.by_stem[path.stem].name
            raise UserError(f"{folder}: {other} and {path.name} have the same name but for the suffix; rename one")
        else:
            listing.by_stem[path.stem] = path
    return listing


def read_image(path: Path) -> bytes:
    """The file's bytes.

    Raises:
        UserError: the file cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror or error}); mend or remove the file") from None
