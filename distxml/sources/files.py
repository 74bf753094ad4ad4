"""Image files as they lie on a disk: which there are, and their bytes."""

from dataclasses import dataclass, field
from pathlib import Path

from distxml.errors import UserError, reason_of
from distxml.sources.material import Rejected
from distxml.sources.paths import stays_below

SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
NO_IMAGE = f"not an image file ({' '.join(SUFFIXES)})"
"""Why a file is left out whose name ends otherwise."""


@dataclass(frozen=True)
class ImageFiles:
    """The image files of a folder by their path below `root`, in the order of their names, and what was left out."""

    root: Path
    images: dict[str, Path] = field(default_factory=dict)
    rejected: list[Rejected] = field(default_factory=list)

    def reject(self, path: Path, reason: str) -> None:
        """Notes that `path` is not used."""
        self.rejected.append(Rejected(path.relative_to(self.root).as_posix(), reason))


def find_images(
    folder: Path, root: Path, *, deep: bool = True, follow_links: bool = False, also: tuple[str, ...] = ()
) -> ImageFiles:
    """The image files in `folder`, hidden ones passed over.

    Args:
        folder: where to look; `root` or below it.
        root: the user's folder.
        deep: whether to look into folders below.
        follow_links: whether a link to a file out of `root` counts; links to folders never do.
        also: endings of files that are expected beside the images, and not worth a remark.

    Raises:
        UserError: a folder cannot be read.
    """
    found = ImageFiles(root)
    for path in visible_entries(folder):
        is_link_out = path.is_symlink() and (path.is_dir() or not (follow_links or stays_below(path, root)))
        if not path.name.isprintable():
            found.reject(path, "the file's name holds characters that cannot be printed")
        elif is_link_out:
            found.reject(path, f"a link to a folder or out of {root.name}; links like that are not followed")
        elif path.is_dir() and deep:
            below = find_images(path, root, follow_links=follow_links, also=also)
            found.images.update(below.images)
            found.rejected.extend(below.rejected)
        elif path.is_file() and path.suffix.lower() in SUFFIXES:
            found.images[path.relative_to(root).as_posix()] = path
        elif not path.name.lower().endswith(also or "\0"):
            found.reject(path, NO_IMAGE)
    return found


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
        raise UserError(
            f"{folder}: cannot be read ({reason_of(error)}); change its permissions or name another"
        ) from None
    return entries


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
        raise UserError(f"{setting}: {folder}: cannot be read ({reason_of(error)}); set {setting}=FOLDER") from None
    if not present:
        raise UserError(f"{setting}: no such folder: {folder}; set {setting}=FOLDER")


def read_image(path: Path) -> bytes:
    """The file's bytes.

    Raises:
        UserError: the file cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({reason_of(error)}); mend or remove the file") from None
