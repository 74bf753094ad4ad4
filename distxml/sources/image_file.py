"""Image files as they lie on a disk: which there are, and whether they can be used."""

import warnings
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from PIL import ExifTags, Image, UnidentifiedImageError

from distxml.config.images import ImageRules
from distxml.data.rows import decode_image, is_deep
from distxml.errors import UserError
from distxml.sources.folder import visible_entries
from distxml.sources.material import Rejected, Unusable

SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")


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


@dataclass(frozen=True)
class PreparedImage:
    """An image as it goes into the dataset.

    Attributes:
        content: bytes of an 8-bit grey or RGB image that every decoder reads alike.
        name: name of the file.
        width, height: pixels.
        remark: what was done, where `content` is not what is in the file.
    """

    content: bytes
    name: str
    width: int
    height: int
    remark: str | None = None


def prepare_image(path: Path, rules: ImageRules) -> PreparedImage:
    """The image in `path`, decoded to the end, converted where the rules say so.

    Raises:
        Unusable: it is empty, truncated, cannot be decoded, or a rule leaves it out.
        UserError: the file cannot be read.
    """
    del rules
    content = read_image(path)
    if not content:
        raise Unusable("empty file")
    width, height, orientation = _decode(content)
    if orientation != 1:
        raise Unusable(f"EXIF orientation {orientation}: unclear whether its boxes are for the rotated image")
    _require_decodes_in_training(content, (height, width))
    return PreparedImage(content, path.name, width, height)


def _require_decodes_in_training(content: bytes, size: tuple[int, int]) -> None:
    """`size` is height and width."""
    try:
        decoded = decode_image(content, None, "image")
        deep = is_deep(content, "image")
    except UserError:
        raise Unusable("cannot be decoded (OpenCV)") from None
    if decoded.shape[:2] != size:
        raise Unusable("Pillow and OpenCV decode it to different sizes")
    if deep:
        raise Unusable("more than 8 bits a channel: convert it to 8 bits by a rule that suits its content")


def read_image(path: Path) -> bytes:
    """The file's bytes.

    Raises:
        UserError: the file cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror or error}); mend or remove the file") from None


def _decode(content: bytes) -> tuple[int, int, int]:
    """Width, height and EXIF orientation. Pillow, because OpenCV fills truncated images up and says nothing."""
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(BytesIO(content)) as image:
            image.load()
            return *image.size, image.getexif().get(ExifTags.Base.Orientation, 1)
    except UnidentifiedImageError:
        raise Unusable("cannot be decoded (not a known image format)") from None
    except Exception as error:  # decoders raise all kinds of errors on broken files
        raise Unusable(f"cannot be decoded ({error})") from None
