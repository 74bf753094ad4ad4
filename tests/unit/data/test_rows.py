"""Decoding, resizing and collating."""

import subprocess
import sys

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from distxml.data.rows import Row, Sample, collate, decode, decode_image, resized
from distxml.errors import UserError
from tests.unit.data.sample_rows import photo_row, png, shape


@given(height=st.integers(4, 90), width=st.integers(4, 90), out=st.tuples(st.integers(4, 60), st.integers(4, 60)))
@settings(max_examples=40)
def test_resizing_is_pillows_bilinear(height: int, width: int, out: tuple[int, int]) -> None:
    pixels = np.random.default_rng(height * 100 + width).integers(0, 256, (height, width, 3), np.uint8)
    expected = np.asarray(Image.fromarray(pixels).resize((out[1], out[0]), Image.Resampling.BILINEAR), np.int16)
    assert np.abs(resized(pixels, out) - expected).max() <= 2


def test_collating_divides_by_255_and_marks_what_has_no_mask() -> None:
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 256, (8, 12, 3), np.uint8) for _ in range(2)]
    mask = shape(8, 12) // 255
    batch = collate([Sample("a", 1, images[0], mask), Sample("b", 0, images[1], None)], weight=0.0)
    expected = torch.stack([torch.from_numpy(image).permute(2, 0, 1).float() / 255 for image in images])
    assert torch.equal(batch.image, expected)
    assert torch.equal(batch.mask[0, 0], torch.from_numpy(mask).float()) and bool((batch.mask[1] == 1).all())
    assert batch.has_mask.tolist() == [True, False] and batch.weight.tolist() == [0, 0]
    assert batch.label.tolist() == [1, 0] and batch.label.dtype == torch.int64 and batch.key == ("a", "b")


def test_grey_becomes_three_channels_and_alpha_is_dropped() -> None:
    grey = shape(16, 16)
    assert np.array_equal(decode_image(png(grey), None, "x"), np.dstack([grey] * 3))
    bgra = np.random.default_rng(0).integers(0, 256, (16, 16, 4), np.uint8)
    assert np.array_equal(decode_image(png(bgra), None, "x"), bgra[..., 2::-1])


def test_masks_are_binary_and_resized_to_the_nearest() -> None:
    sample = decode(photo_row("a", 40, 60, ".jpg"), (20, 30))
    nearest = cv2.resize(shape(40, 60), (30, 20), interpolation=cv2.INTER_NEAREST_EXACT) // 255
    assert sample.mask is not None and np.array_equal(sample.mask, nearest)


@pytest.mark.parametrize("data", [b"", b"no image", photo_row("a", 40, 60, ".jpg").image[:300]])
def test_what_does_not_decode_is_named(data: bytes) -> None:
    with pytest.raises(UserError, match="image the key"):
        decode(Row("the key", data, None, 0), (20, 20))


DECODE_WITH_LITTLE_MEMORY = """
import io, resource
from pathlib import Path
from PIL import Image
from distxml.data.rows import decode_image
from distxml.errors import UserError

buffer = io.BytesIO()
Image.new("RGB", (4000, 4000)).save(buffer, "PNG")
used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (20 << 20),) * 2)
try:
    decode_image(buffer.getvalue(), None, "image the key")
except UserError as error:
    print(error)
"""


@pytest.mark.slow
def test_memory_that_runs_out_is_not_the_images_fault() -> None:
    command = [sys.executable, "-c", DECODE_WITH_LITTLE_MEMORY]
    said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout
    assert said.startswith("image the key: not enough memory to decode it;")
