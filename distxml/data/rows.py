"""Rows of the Parquet dataset, decoded to samples and collated to batches."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast, overload

import cv2
import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray
from torch.nn import functional

from distxml.data.batch import Batch
from distxml.errors import UserError

MASK_THRESHOLD = 127
"""A mask's pixel is inside where it is brighter than this."""

cv2.setNumThreads(0)  # the loader has its own threads; OpenCV's would fight with torch's

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Row:
    """One encoded image as it lies in a shard."""

    key: str
    image: bytes
    mask: bytes | None
    label: int
    group: str | None = None


@dataclass(frozen=True)
class Sample:
    """One decoded image: H×W×3 RGB, and its mask H×W in {0, 1} or None where it was not annotated."""

    key: str
    label: int
    image: Pixels
    mask: Pixels | None


def decode(row: Row, image_size: tuple[int, int]) -> Sample:
    """A row's image and mask, resized to `image_size` (height, width).

    Raises:
        UserError: a file does not decode.
    """
    image = decode_image(row.image, image_size, f"image {row.key}")
    mask = None if row.mask is None else _decode_mask(row.mask, image_size, row.key)
    return Sample(row.key, row.label, image, mask)


def decode_image(data: bytes, image_size: tuple[int, int] | None, name: str) -> Pixels:
    """An encoded image as H×W×3 RGB, 8 bits per channel; grey images get three equal channels.

    Datasets hold no image with alpha, more bits, or an orientation: `distxml/sources/images/` sees to that.

    Args:
        data: an image file.
        image_size: (height, width) in pixels, resized as in `resized`; None: as it is.
        name: what messages call it.

    Raises:
        UserError: it does not decode.
    """
    pixels = decode_pixels(data, cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION, name)
    return pixels if image_size is None else resized(pixels, image_size)


def resized(pixels: Pixels, image_size: tuple[int, int]) -> Pixels:
    """An H×W×3 image in another size: bilinear, and widened to a triangle over all covered pixels where it shrinks.

    torch's is Pillow's filter and DALI's too, so that either backend sees the same pixels within a grey level; it
    takes a quarter of the time of OpenCV's INTER_AREA.
    """
    if pixels.shape[:2] == image_size:
        return pixels
    planes = torch.from_numpy(pixels).permute(2, 0, 1).unsqueeze(0)
    small = functional.interpolate(planes, size=image_size, mode="bilinear", antialias=True)
    return np.asarray(cv2.merge(list(small.squeeze(0).numpy())), np.uint8)


def collate(samples: Sequence[Sample], weight: float = 1.0) -> Batch:
    """B samples of one size as a `Batch`; `weight` 0 marks padding."""
    height, width = samples[0].image.shape[:2]
    images = np.empty((len(samples), 3, height, width), np.float32)
    masks = np.ones((len(samples), 1, height, width), np.float32)
    for index, sample in enumerate(samples):  # numpy: torch would start threads of its own in each loader thread
        for channel, plane in enumerate(cv2.split(sample.image)):
            np.divide(plane, np.float32(255), out=images[index, channel])
        if sample.mask is not None:
            masks[index, 0] = sample.mask
    return Batch(
        image=torch.from_numpy(images),
        label=torch.tensor([sample.label for sample in samples]),
        mask=torch.from_numpy(masks),
        has_mask=torch.tensor([sample.mask is not None for sample in samples]),
        key=tuple(sample.key for sample in samples),
        weight=torch.full((len(samples),), weight),
    )


def decode_pixels(data: bytes, flags: int, name: str) -> Pixels:
    """An encoded image as OpenCV decodes it with `flags` (`cv2.IMREAD_...`).

    Raises:
        UserError: it does not decode, or there is not enough memory to decode it.
    """
    try:
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flags) if data else None
    except cv2.error as error:  # a header that promises absurd dimensions, for one
        if error.code == cv2.Error.StsNoMem:
            remedy = "free some, or let fewer processes run at once"
            raise UserError(f"{name}: not enough memory to decode it; {remedy}") from None
        pixels = None
    if pixels is None:
        raise UserError(f"{name}: does not decode as an image; replace or remove it and build the dataset again")
    return cast(Pixels, pixels)


def _decode_mask(data: bytes, image_size: tuple[int, int], key: str) -> Pixels:
    pixels = decode_pixels(data, cv2.IMREAD_GRAYSCALE | cv2.IMREAD_IGNORE_ORIENTATION, f"mask of {key}")
    inside = (pixels > MASK_THRESHOLD).astype(np.uint8)
    if inside.shape != image_size:
        inside = cv2.resize(inside, image_size[::-1], interpolation=cv2.INTER_NEAREST_EXACT)
    return np.asarray(inside, np.uint8)


class EncodedRows(Sequence[Row]):
    """The rows of a table with the dataset's schema; a row's bytes are copied out when it is asked for.

    Thousands of single byte strings, freed in another order than they came, would leave holes in the process's memory
    that take as much room as the rows themselves.
    """

    def __init__(self, table: pa.Table) -> None:
        self._keys: list[str] = table["key"].to_pylist()
        self._labels: list[int] = table["label"].to_pylist()
        self._groups: list[str | None] = table["group"].to_pylist()
        self._images = _encoded(table["image"])
        self._masks = _encoded(table["mask"])

    def __len__(self) -> int:
        return len(self._keys)

    @overload
    def __getitem__(self, index: int) -> Row: ...

    @overload
    def __getitem__(self, index: slice) -> list[Row]: ...

    def __getitem__(self, index: int | slice) -> Row | list[Row]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        return Row(
            key=self._keys[index],
            image=self._images[index].as_py(),
            mask=self._masks[index].as_py(),
            label=self._labels[index],
            group=self._groups[index],
        )


def _encoded(column: pa.ChunkedArray) -> pa.BinaryArray:
    """The `bytes` of a column of encoded files; null where the file is null."""
    files = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
    return files.flatten()[0]  # unlike `field`, it heeds that the struct itself is null
