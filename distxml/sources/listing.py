"""Which image files lie in a folder of the user's, and what else."""

from dataclasses import dataclass, field
from pathlib import Path

from distxml.sources.data_paths import stays_below
from distxml.sources.folder import visible_entries
from distxml.sources.image_file import SUFFIXES
from distxml.sources.material import Rejected


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
