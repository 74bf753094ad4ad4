"""Memory that runs out is the machine's trouble, never a verdict on an image."""

import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from distxml.sources.images.memory import memory_ran_out

SIDE = 4000

READ_WITH_LITTLE_MEMORY = """
import resource, sys
from pathlib import Path
from distxml.config.images import ImageRules
from distxml.errors import UserError
from distxml.sources.regions import MaskFile
from distxml.sources.file_item import FileItem
from distxml.sources.material import Unusable

image, mask, spare = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]) << 20
region = MaskFile(Path(mask), "m.png") if mask else None
item = FileItem(image, "folder/a.png", "a", 0, region)
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + spare, used + spare))
try:
    item.row(ImageRules(sixteen_bit="scale"))
    print("it was read")
except UserError as error:
    print("UserError", error)
except Unusable as reason:
    print("Unusable", reason)
"""

EXPECTED = "UserError not enough memory for folder/a.png; fewer --workers, or lower images.most_pixels"


def read_with(spare: int, image: Path, mask: Path | None = None) -> str:
    """What reading the row said, with `spare` MiB to do it in."""
    command = [sys.executable, "-c", READ_WITH_LITTLE_MEMORY, str(image), str(mask or ""), str(spare)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.strip()


def deep_png(path: Path) -> Path:
    """16 bits a channel: Pillow needs 64 MB, OpenCV 96 MB more."""
    assert cv2.imwrite(str(path), np.zeros((SIDE, SIDE, 3), np.uint16))
    return path


def plain_png(path: Path, mode: str = "RGB") -> Path:
    Image.new(mode, (SIDE, SIDE)).save(path)
    return path


SPARE = [30, 70, 110, 150, 190]
"""MiB: from too little for anything to enough for most; where it runs out depends on the libraries."""


@pytest.mark.slow
@pytest.mark.parametrize("spare", SPARE)
def test_too_little_memory_is_never_a_verdict_on_an_image(tmp_path: Path, spare: int) -> None:
    said = read_with(spare, deep_png(tmp_path / "a.png"))
    assert said in (EXPECTED, "it was read") and (said == EXPECTED or spare > 60)


@pytest.mark.slow
@pytest.mark.parametrize("spare", SPARE)
def test_nor_on_one_that_has_to_be_written_anew(tmp_path: Path, spare: int) -> None:
    Image.new("RGB", (SIDE, SIDE)).save(tmp_path / "a.bmp")
    assert read_with(spare, tmp_path / "a.bmp") in (EXPECTED, "it was read")


@pytest.mark.slow
@pytest.mark.parametrize("spare", SPARE)
def test_nor_on_its_mask(tmp_path: Path, spare: int) -> None:
    """The image is grey; the mask has four channels."""
    image, mask = plain_png(tmp_path / "a.png", "L"), plain_png(tmp_path / "m.png", "RGBA")
    assert read_with(spare, image, mask) in (EXPECTED, "it was read")


@pytest.mark.slow
def test_with_enough_memory_they_are_read(tmp_path: Path) -> None:
    assert read_with(2000, deep_png(tmp_path / "a.png")) == "it was read"


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MemoryError(), True),
        (OSError("out of memory when reading image file"), True),
        (OSError("broken data stream when reading image file"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_which_errors_tell_of_memory(error: Exception, expected: bool) -> None:
    assert memory_ran_out(error) is expected


def test_opencvs_own_errors() -> None:
    with pytest.raises(cv2.error) as wrong:
        cv2.imdecode(np.empty(0, np.uint8), cv2.IMREAD_COLOR)
    assert not memory_ran_out(wrong.value)
