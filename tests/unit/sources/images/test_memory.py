"""Memory that runs out is the machine's trouble, never a verdict on an image."""

import json
import subprocess
import sys

import cv2
import numpy as np
import pytest
from PIL import Image

from distxml.sources.images.memory import memory_ran_out

SIDE = 4000
SPARE = [30, 70, 110, 150, 190]
"""MiB: from too little for anything to enough for most; where it runs out depends on the libraries."""
ENOUGH = 2000

READ_WITH_LITTLE_MEMORY = """
import json, os, resource, sys
from pathlib import Path
from distxml.config.images import ImageRules
from distxml.errors import UserError
from distxml.sources.regions import MaskFile
from distxml.sources.file_item import FileItem
from distxml.sources.material import Unusable

def read(image, mask, spare):
    item = FileItem(Path(image), "folder/a.png", "a", 0, MaskFile(Path(mask), "m.png") if mask else None)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + (spare << 20),) * 2)
    try:
        item.row(ImageRules(sixteen_bit="scale"))
        return "it was read"
    except UserError as error:
        return f"UserError {error}"
    except Unusable as reason:
        return f"Unusable {reason}"

for case in json.loads(sys.argv[1]):
    if os.fork() == 0:  # a limit of its own, and nothing that another case has left
        print(read(*case), flush=True)
        os._exit(0)
    os.wait()
"""

EXPECTED = "UserError not enough memory for folder/a.png; fewer --workers, or lower images.max_pixels"


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, int], str]:
    """What reading each image said, with each amount of memory to spare."""
    folder = tmp_path_factory.mktemp("large")
    deep, bmp, grey, mask = (folder / name for name in ("deep.png", "a.bmp", "grey.png", "m.png"))
    # 16 bits per channel: Pillow needs 64 MB, OpenCV 96 MB more.
    assert cv2.imwrite(str(deep), np.zeros((SIDE, SIDE, 3), np.uint16), (cv2.IMWRITE_PNG_COMPRESSION, 1))
    Image.new("RGB", (SIDE, SIDE)).save(bmp)
    Image.new("L", (SIDE, SIDE)).save(grey, compress_level=1)
    Image.new("RGBA", (SIDE, SIDE)).save(mask, compress_level=1)
    files = {"image": (deep, ""), "written anew": (bmp, ""), "mask": (grey, mask)}
    cases = [("image", ENOUGH), *((kind, spare) for kind in files for spare in SPARE)]
    arguments = json.dumps([[str(files[kind][0]), str(files[kind][1]), spare] for kind, spare in cases])
    command = [sys.executable, "-c", READ_WITH_LITTLE_MEMORY, arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=True)
    return dict(zip(cases, done.stdout.splitlines(), strict=True))


@pytest.mark.slow
@pytest.mark.parametrize("spare", SPARE)
def test_too_little_memory_is_never_a_verdict_on_an_image(said: dict[tuple[str, int], str], spare: int) -> None:
    assert said["image", spare] in (EXPECTED, "it was read")
    assert said["image", spare] == EXPECTED or spare > 60


@pytest.mark.slow
@pytest.mark.parametrize("spare", SPARE)
def test_nor_on_one_that_has_to_be_written_anew(said: dict[tuple[str, int], str], spare: int) -> None:
    assert said["written anew", spare] in (EXPECTED, "it was read")


@pytest.mark.slow
@pytest.mark.parametrize("spare", SPARE)
def test_nor_on_its_mask(said: dict[tuple[str, int], str], spare: int) -> None:
    """The image is grey; the mask has four channels."""
    assert said["mask", spare] in (EXPECTED, "it was read")


@pytest.mark.slow
def test_with_enough_memory_they_are_read(said: dict[tuple[str, int], str]) -> None:
    assert said["image", ENOUGH] == "it was read"


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
