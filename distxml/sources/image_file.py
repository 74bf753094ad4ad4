"""Image files as they lie on a disk: which there are, and their bytes."""

from dataclasses import dataclass
from pathlib import Path

from distxml.errors import UserError
from distxml.sources.folder import visible_entries
from distxml.sources.material import Rejected

SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")


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
