"""Writes small images and masks for tests."""

from pathlib import Path

import numpy as np
from PIL import Image

WIDTH, HEIGHT = 24, 16
IMAGE_BOX = (4, 3, 15, 12)
"""xmin, ymin, xmax, ymax of the region that `write_mask` marks unless told otherwise."""

BoxCorners = tuple[int, int, int, int]


def write_image(path: Path, size: tuple[int, int] = (WIDTH, HEIGHT)) -> Path:
    """Noise that is a function of the name, so that no two files are copies."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(list(str(path).encode())).integers(0, 255, (size[1], size[0], 3), np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def write_mask(path: Path, box: BoxCorners = IMAGE_BOX, size: tuple[int, int] = (WIDTH, HEIGHT)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(mask_of(box, size)).save(path, quality=95)
    return path


def mask_of(box: BoxCorners | None, size: tuple[int, int] = (WIDTH, HEIGHT)) -> np.ndarray:
    """H×W, 255 in the box, pixel by pixel."""
    mask = np.zeros((size[1], size[0]), np.uint8)
    for y in range(size[1]):
        for x in range(size[0]):
            if box is not None and box[0] <= x < box[2] and box[1] <= y < box[3]:
                mask[y, x] = 255
    return mask
