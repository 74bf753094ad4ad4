"""What every image file passes before it is in a dataset: decoded to the end, converted by the rules or refused.

What comes out is a JPEG or PNG, 8-bit grey or RGB without alpha, which OpenCV and Pillow read alike and nobody turns.
Files that are that already keep their bytes; all others are decoded by Pillow and saved as PNG without further loss.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, UnidentifiedImageError

from distxml.config.images import ImageRules
from distxml.sources.files import read_image
from distxml.sources.images.convert import Converted, Pixels, converted
from distxml.sources.images.memory import memory_ran_out
from distxml.sources.images.png import grey_png, rgb_png
from distxml.sources.material import Unusable

SUFFIXES_OF = {
    "BMP": (".bmp",),
    "GIF": (".gif",),
    "JPEG": (".jpg", ".jpeg"),
    "PNG": (".png",),
    "TIFF": (".tif", ".tiff"),
    "WEBP": (".webp",),
}
"""Kinds of files that are read, and what their names end in; Pillow reads more, some of them by running programs."""

COMMON_JPEG = (0xC0, 0xC1, 0xC2)
"""Baseline, extended sequential and progressive with Huffman codes: what GPU decoders read as well."""

FRAME_HEADERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}

ALONE = frozenset([0x01, *range(0xD0, 0xD8)])
"""Markers without a length behind them."""

TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What makes an image upright, by its EXIF orientation; all other values mean that it is."""

SIDEWAYS = range(5, 9)
"""Orientations that exchange width and height."""

MAX_SIDE = 1_000_000
"""Pixels; libpng reads no longer ones."""

MAX_DIFFERENCE = 3
"""Of 255: how far two decoders may be apart in any pixel of a JPEG, whose standard leaves rounding open."""

cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)  # the reason that we give says it


@dataclass(frozen=True)
class PreparedImage:
    """An image as it goes into the dataset.

    Attributes:
        content: bytes of an 8-bit grey or RGB image that every decoder reads alike.
        name: name of the file, its suffix by what `content` is.
        width, height: pixels.
        remark: what was done or is odd, where there is something to say.
    """

    content: bytes
    name: str
    width: int
    height: int
    remark: str | None = None


def prepare_image(path: Path, rules: ImageRules) -> PreparedImage:
    """The image in `path`, decoded to the end, converted where the rules say so.

    Raises:
        Unusable: it is empty, truncated, too large, cannot be decoded, or a rule leaves it out.
        UserError: the file cannot be read.
        MemoryError: there is not enough memory for it.
    """
    content = read_image(path)
    with opened(content) as image:
        kind = "JPEG" if image.format == "MPO" else str(image.format)  # an MPO is a JPEG with more of them behind it
        remarks = _oddities(path, image, kind)
        _require_one_image_of_bearable_size(image, rules)
        orientation = _orientation(image)
        image.load()
        deep = _deep(content, kind, image)
        result = converted(image, deep, rules)
        _turn(result, orientation, rules, turned=deep is None and _orientation(image) != orientation)
    height, width = result.pixels.shape[:2]
    if not result.done and _is_plain(content, kind, result.pixels):
        suffix = path.suffix if path.suffix.lower() in SUFFIXES_OF[kind] else SUFFIXES_OF[kind][0]
    else:
        content, suffix = _png(result.pixels), ".png"
        remarks += [*result.done, f"{kind} saved as PNG"]
    return PreparedImage(content, f"{path.stem}{suffix}", width, height, "; ".join(remarks) or None)


def header_size(path: Path) -> tuple[int, int]:
    """Width and height of the upright image, from the file's header alone.

    Raises:
        Unusable: it is not an image.
        UserError: the file cannot be read.
    """
    with opened(read_image(path)) as image:
        turned = image.format != "TIFF" and _orientation(image) in SIDEWAYS  # Pillow gives a TIFF's upright size
        return (image.height, image.width) if turned else image.size


@contextmanager
def opened(content: bytes) -> Iterator[Image.Image]:
    """The image in a file's bytes, of which only the header was read.

    Raises:
        Unusable: it cannot be decoded, now or within the `with` block.
        MemoryError: the memory for it is not there, which says nothing about the file.
    """
    if not content:
        raise Unusable("empty file")
    try:
        with warnings.catch_warnings(action="ignore"), Image.open(BytesIO(content), formats=[*SUFFIXES_OF]) as image:
            yield image
    except (Unusable, MemoryError):
        raise
    except UnidentifiedImageError:
        raise Unusable(f"cannot be decoded (not {', '.join(SUFFIXES_OF)}, or its header is broken)") from None
    except Image.DecompressionBombError:
        raise Unusable("has more pixels than Pillow decodes, which is more than images.max_pixels can allow") from None
    except Exception as error:  # decoders raise all kinds of errors on broken files
        if memory_ran_out(error):
            raise MemoryError from error
        raise Unusable(f"cannot be decoded ({' '.join(str(error).split())})") from None


def _oddities(path: Path, image: Image.Image, kind: str) -> list[str]:
    suffixes = SUFFIXES_OF[kind]
    wrong = [] if path.suffix.lower() in suffixes else [f"named {path.suffix or 'without a suffix'}, but is {kind}"]
    return wrong + (["the first of several images in the file"] if image.format == "MPO" else [])


def _require_one_image_of_bearable_size(image: Image.Image, rules: ImageRules) -> None:
    width, height = image.size
    if width * height > rules.max_pixels:
        limit = f"images.max_pixels={rules.max_pixels}"
        raise Unusable(f"{width}x{height} is {width * height} pixels, more than {limit}")
    if max(width, height) > MAX_SIDE:
        raise Unusable(f"{width}x{height} pixels: no side may be longer than {MAX_SIDE}")
    frames = getattr(image, "n_frames", 1)
    if frames > 1 and image.format != "MPO":
        raise Unusable(f"holds {frames} images (frames or pages); save the one that is meant in a file of its own")


def _deep(content: bytes, kind: str, image: Image.Image) -> NDArray[np.uint16] | None:
    """The pixels (RGB) of a file with 16 bits per channel, which Pillow cuts down in part; None for 8 bits."""
    if kind not in ("PNG", "TIFF"):
        return None
    pixels = _opencv(content, cv2.IMREAD_UNCHANGED)
    if pixels.dtype == np.uint8:
        return None
    if pixels.dtype != np.uint16 or "transparency" in image.info:
        raise Unusable(f"pixels of type {pixels.dtype}, for which there is no rule: convert it to 8 bits per channel")
    if pixels.ndim == 2:
        return pixels
    order = cv2.COLOR_BGRA2RGBA if pixels.shape[-1] == 4 else cv2.COLOR_BGR2RGB
    return np.asarray(cv2.cvtColor(pixels, order), np.uint16)


def _turn(result: Converted, orientation: int, rules: ImageRules, turned: bool) -> None:
    """Makes the pixels upright, or says so where Pillow has done it while decoding, as it does with TIFF."""
    if orientation not in TURNS:
        return
    what = f"EXIF orientation {orientation}"
    if rules.exif_rotated == "leave_out":
        raise Unusable(f"{what}: unclear whether its annotation is for the turned image; see images.exif_rotated")
    if not turned:
        result.pixels = np.asarray(Image.fromarray(result.pixels).transpose(TURNS[orientation]))
    result.done.append(f"turned upright ({what})")


def _orientation(image: Image.Image) -> int:
    found = image.getexif().get(ExifTags.Base.Orientation, 1)
    return found if isinstance(found, int) else 1


def _is_plain(content: bytes, kind: str, pixels: Pixels) -> bool:
    """Whether the file's own bytes can be kept: all readers give these pixels."""
    if kind not in ("JPEG", "PNG") or (kind == "JPEG" and jpeg_process(content) not in COMMON_JPEG):
        return False
    read = _opencv(content, cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION)
    if read.shape[:2] != pixels.shape[:2]:
        raise Unusable("Pillow and OpenCV decode it to different sizes")
    rgb = pixels if pixels.ndim == 3 else cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB)
    return cv2.norm(read, rgb, cv2.NORM_INF) <= (MAX_DIFFERENCE if kind == "JPEG" else 0)


def jpeg_process(content: bytes) -> int | None:
    """The marker of the frame header (0xC0 is baseline); None where there is none."""
    place = 2  # behind the marker that starts the file
    while place + 4 <= len(content):
        if content[place] != 0xFF:
            return None
        marker = content[place + 1]
        if marker in FRAME_HEADERS:
            return marker
        if marker == 0xFF:  # filling
            place += 1
        elif marker in ALONE:
            place += 2
        else:
            place += 2 + int.from_bytes(content[place + 2 : place + 4])
    return None


def _opencv(content: bytes, flags: int) -> NDArray:
    try:
        pixels = cv2.imdecode(np.frombuffer(content, np.uint8), flags)
    except cv2.error as error:
        if memory_ran_out(error):
            raise MemoryError from error
        pixels = None
    if pixels is None:
        raise Unusable("cannot be decoded (OpenCV)")
    return pixels


def _png(pixels: Pixels) -> bytes:
    return rgb_png(pixels) if pixels.ndim == 3 else grey_png(pixels)
