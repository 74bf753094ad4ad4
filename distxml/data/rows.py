"""Rows of the Parquet dataset, decoded to samples and collated to batches."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray

from distxml.data.batch import Batch
from distxml.errors import UserError

cv2.setNumThreads(0)  # the loader has its own threads; OpenCV's would fight with torch's

MASK_THRESHOLD = 127
"""A mask's pixel is inside where it is brighter than this."""

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Row:
    """One encoded image as it lies in a shard."""

    key: str
    image: bytes
    mask: bytes | None
    label: int


@dataclass(frozen=True)
class Sample:
    """One decoded image: H×W×3 RGB, and its mask H×W in {0, 1} or None where it was not annotated."""

    key: str
    label: int
    image: Pixels
    mask: Pixels | None


def rows_of(table: pa.Table) -> list[Row]:
    """The rows of a table with the dataset's schema."""
    images = table["image"].combine_chunks().field("bytes").to_pylist()
    masks = table["mask"].to_pylist()
    keys, labels = table["key"].to_pylist(), table["label"].to_pylist()
    return [
        Row(key, image, mask["bytes"] if mask else None, label)
        for key, image, mask, label in zip(keys, images, masks, labels, strict=True)
    ]


def decode(row: Row, image_size: tuple[int, int]) -> Sample:
    """A row's image and mask, resized to `image_size` (height, width).

    Raises:
        UserError: a file does not decode.
    """
    image = decode_image(row.image, image_size, f"image {row.key}")
    mask = None if row.mask is None else _decode_mask(row.mask, image_size, row.key)
    return Sample(row.key, row.label, image, mask)


def decode_image(data: bytes, image_size: tuple[int, int] | None, name: str, upright: bool = False) -> Pixels:
    """An encoded image as H×W×3 RGB, 8 bits a channel; resized by area when it shrinks, else bilinearly.

    Grey images become three equal channels, alpha is dropped. `upright` turns the image as its EXIF orientation says;
    datasets hold none that would turn.
    """
    turn = 0 if upright else cv2.IMREAD_IGNORE_ORIENTATION
    pixels = decode_pixels(data, cv2.IMREAD_COLOR_RGB | turn, name)
    if image_size is None or pixels.shape[:2] == image_size:
        return pixels
    shrinks = pixels.shape[0] >= image_size[0] and pixels.shape[1] >= image_size[1]
    resized = cv2.resize(pixels, image_size[::-1], interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return np.asarray(resized, np.uint8)


def is_deep(data: bytes, name: str) -> bool:
    """Whether an image has more than 8 bits a channel, so that `decode_image` would cut some of them off."""
    return decode_pixels(data, cv2.IMREAD_UNCHANGED, name).dtype != np.uint8


def collate(samples: Sequence[Sample], weight: float = 1.0) -> Batch:
    """B samples of one size as a `Batch`; `weight` 0 marks padding."""
    height, width = samples[0].image.shape[:2]
    images = np.stack([sample.image for sample in samples])  # B×H×W×3
    everywhere = np.ones((height, width), np.uint8)
    masks = np.stack([everywhere if sample.mask is None else sample.mask for sample in samples])
    return Batch(
        image=torch.from_numpy(images).permute(0, 3, 1, 2).contiguous().float().div_(255),
        label=torch.tensor([sample.label for sample in samples]),
        mask=torch.from_numpy(masks).unsqueeze(1).float(),
        has_mask=torch.tensor([sample.mask is not None for sample in samples]),
        key=tuple(sample.key for sample in samples),
        weight=torch.full((len(samples),), weight),
    )


def decode_pixels(data: bytes, flags: int, name: str) -> Pixels:
    """An encoded image as OpenCV decodes it with `flags` (`cv2.IMREAD_...`).

    Raises:
        UserError: it does not decode.
    """
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flags) if data else None
    except cv2.error:  # a header that promises absurd dimensions, for one
        pixels = None
    if pixels is None:
        raise UserError(f"{name}: does not decode as an image; replace or remove it and build the dataset again")
    return cast(Pixels, pixels)  # 8 bits, but for `is_deep`


def _decode_mask(data: bytes, image_size: tuple[int, int], key: str) -> Pixels:
    pixels = decode_pixels(data, cv2.IMREAD_GRAYSCALE | cv2.IMREAD_IGNORE_ORIENTATION, f"mask of {key}")
    inside = (pixels > MASK_THRESHOLD).astype(np.uint8)
    if inside.shape != image_size:
        inside = cv2.resize(inside, image_size[::-1], interpolation=cv2.INTER_NEAREST_EXACT)
    return np.asarray(inside, np.uint8)
