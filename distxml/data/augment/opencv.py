"""Augmentation on the CPU with OpenCV. Image and mask take the same geometric transforms.

CLAHE and the shift of hue, saturation and value are albumentations' functions. Its transforms are not used: they draw
from random numbers of their own, while here everything is drawn from (seed, epoch, key) for either backend.
"""

from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import cv2
import numpy as np
from numpy.typing import NDArray

from distxml.config.augmentation import AugmentationSettings
from distxml.config.recipe import LoaderSettings
from distxml.data.augment.draw import UNCHANGED, Draw, Orientation, draw
from distxml.data.augment.maps import Size
from distxml.data.backend import Share
from distxml.data.batch import Batch
from distxml.data.rows import Pixels, Row, Sample, collate, decode

CLAHE_TILES = 8
"""CLAHE looks at this many tiles along each side."""


class Augmenter:
    """Augments samples; what an image becomes depends on (seed, epoch, key) alone. Threads may share it."""

    def __init__(self, settings: AugmentationSettings, seed: int) -> None:
        self.settings = settings
        self.seed = seed

    def __call__(self, sample: Sample, epoch: int) -> Sample:
        """The sample, perhaps changed; its size stays."""
        height, width = sample.image.shape[:2]
        drawn = draw(self.settings, (height, width), self.seed, epoch, sample.key)
        if drawn is UNCHANGED:
            return sample
        mask = None if sample.mask is None else augmented_mask(sample.mask, drawn)
        return Sample(sample.key, sample.label, augmented_image(sample.image, drawn), mask)


def augmented_image(image: Pixels, drawn: Draw) -> Pixels:
    """An H×W×3 image after everything that was drawn for it, in the paper's order."""
    height, width = image.shape[:2]
    image = oriented(image, drawn.orientation, cv2.INTER_LINEAR)
    if drawn.noise is not None:
        image = _pixels(cv2.add(image, drawn.noise.field((height, width)), dtype=cv2.CV_8U))
    image = _filtered(image, drawn)
    image = _moved(image, drawn, cv2.INTER_LINEAR)
    image = _contrasted(image, drawn)
    if drawn.colour is None:
        return image
    from albumentations.augmentations.pixel.functional import shift_hsv  # a second to import, and not always needed

    shift = drawn.colour
    return _pixels(shift_hsv(image, shift.hue / 2, shift.saturation, shift.value))  # OpenCV's hue has 180 steps


def augmented_mask(mask: Pixels, drawn: Draw) -> Pixels:
    """An H×W mask after the geometric part of what was drawn for its image."""
    return _moved(oriented(mask, drawn.orientation, cv2.INTER_NEAREST_EXACT), drawn, cv2.INTER_NEAREST)


def oriented(pixels: Pixels, orientation: Orientation, interpolation: int) -> Pixels:
    """Pixels laid onto themselves; transposing an image that is no square squeezes it into its old size."""
    size = pixels.shape[:2]
    if orientation.transpose:
        pixels = _pixels(cv2.transpose(pixels))
    if orientation.flip_rows or orientation.flip_columns:
        both = orientation.flip_rows and orientation.flip_columns
        pixels = _pixels(cv2.flip(pixels, -1 if both else int(orientation.flip_columns)))
    return pixels if pixels.shape[:2] == size else _resized(pixels, size, interpolation)


def remapped(pixels: Pixels, maps: NDArray[np.float32], interpolation: int) -> Pixels:
    """Pixels fetched from where `maps` (2×H×W: x, y) says."""
    return _pixels(cv2.remap(pixels, maps[0], maps[1], interpolation, borderMode=cv2.BORDER_REFLECT_101))


def _moved(pixels: Pixels, drawn: Draw, interpolation: int) -> Pixels:
    if drawn.movement is not None:
        size = (pixels.shape[1], pixels.shape[0])
        flags = interpolation | cv2.WARP_INVERSE_MAP
        pixels = _pixels(cv2.warpAffine(pixels, drawn.movement, size, flags=flags, borderMode=cv2.BORDER_REFLECT_101))
    return pixels if drawn.maps is None else remapped(pixels, drawn.maps, interpolation)


def _filtered(image: Pixels, drawn: Draw) -> Pixels:
    if drawn.blur is not None:
        return _pixels(cv2.filter2D(image, -1, drawn.blur))
    return _pixels(cv2.medianBlur(image, drawn.median)) if drawn.median else image


def _contrasted(image: Pixels, drawn: Draw) -> Pixels:
    if drawn.clahe:
        from albumentations.augmentations.pixel.functional import clahe  # see `augmented_image`

        image = _pixels(clahe(image, drawn.clahe, (CLAHE_TILES, CLAHE_TILES)))
    if drawn.relief is not None:
        image = _pixels(cv2.filter2D(image, -1, drawn.relief))
    if drawn.contrast == 1 and drawn.brightness == 0:
        return image
    table = np.arange(256) * drawn.contrast + 255 * drawn.brightness
    return _pixels(cv2.LUT(image, np.rint(table.clip(0, 255)).astype(np.uint8)))


def _resized(pixels: Pixels, size: Size, interpolation: int) -> Pixels:
    return _pixels(cv2.resize(pixels, size[::-1], interpolation=interpolation))


def _pixels(array: object) -> Pixels:
    return np.asarray(array, np.uint8)


class OpenCvBackend:
    """Decodes and augments `settings.prefetch` shares ahead in `settings.threads` threads."""

    def __init__(self, settings: LoaderSettings, seed: int) -> None:
        self.settings = settings
        self.augmenter = Augmenter(settings.augmentation, seed)

    def batches(self, shares: Iterator[Share], epoch: int | None) -> Generator[Batch]:
        """See `Backend.batches`."""
        waiting: deque[Future[Batch]] = deque()
        with ThreadPoolExecutor(self.settings.threads, thread_name_prefix="loader") as pool:
            try:
                for share in shares:
                    waiting.append(pool.submit(self._batch, share, epoch))
                    if len(waiting) > self.settings.prefetch:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            finally:
                for future in waiting:
                    future.cancel()

    def _batch(self, share: Share, epoch: int | None) -> Batch:
        return collate([self._sample(row, epoch) for row in share.rows], share.weight)

    def _sample(self, row: Row, epoch: int | None) -> Sample:
        sample = decode(row, self.settings.image_size)
        return sample if epoch is None else self.augmenter(sample, epoch)
