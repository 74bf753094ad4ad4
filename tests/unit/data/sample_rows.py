"""Encoded rows with a known shape in image and mask, and settings that try one operation alone."""

import cv2
import numpy as np

from distxml.config.augmentation import AugmentationSettings
from distxml.config.recipe import LoaderSettings
from distxml.data.backend import Backend, Share
from distxml.data.batch import Batch
from distxml.data.rows import Pixels, Row

GEOMETRIC: dict[str, dict[str, object]] = {
    "quarter_turn": {},
    "flip": {},
    "horizontal_flip": {},
    "vertical_flip": {},
    "transpose": {},
    "shift_scale_rotate": {},
    "distortion/optical": {},
    "distortion/grid": {},
    "distortion/piecewise_affine": {},
}
PIXELWISE: dict[str, dict[str, object]] = {
    "noise": {},
    "blur/motion": {},
    "blur/median": {},
    "blur/box": {},
    "contrast/clahe": {"clahe_limit": 1.5},
    "contrast/sharpen": {},
    "contrast/emboss": {},
    "contrast/brightness_contrast": {},
    "hue_saturation_value": {},
}
CHOICES = {
    "blur": ("motion", "median", "box"),
    "distortion": ("optical", "grid", "piecewise_affine"),
    "contrast": ("clahe", "sharpen", "emboss", "brightness_contrast"),
}


def alone(operation: str, **others: object) -> AugmentationSettings:
    """Each image gets this operation (`group` or `group/choice`) and no other; `others`: of its group's settings."""
    group, _, choice = operation.partition("/")
    weights = {name: float(name == choice) for name in CHOICES.get(group, ())}
    strength = (GEOMETRIC | PIXELWISE)[operation]
    values = {"preset": "none", "probability": 1, group: {"probability": 1} | weights | strength | others}
    return AugmentationSettings.model_validate(values)


def shape(height: int, width: int) -> Pixels:
    """A hooked shape that no turn or flip lays onto itself, 0 or 255."""
    mask = np.zeros((height, width), np.uint8)
    mask[height // 4 : 3 * height // 4, width // 4 : width // 2] = 255
    mask[height // 2 : 5 * height // 8, width // 2 : 3 * width // 4] = 255
    return mask


def shape_row(key: str, height: int = 64, width: int = 64) -> Row:
    """White shape on black; the mask is the shape."""
    mask = shape(height, width)
    return Row(key, png(cv2.merge([mask] * 3)), png(mask), 0)


def photo_row(key: str, height: int, width: int, suffix: str, annotated: bool = True) -> Row:
    """Smooth colours and a bright shape; a JPEG or a PNG."""
    rng = np.random.default_rng(list(key.encode()))
    coarse = rng.integers(0, 256, (6, 8, 3), dtype=np.uint8)
    image, mask = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), shape(height, width)
    image[mask > 0] = (250, 240, 200)
    encoded = cv2.imencode(suffix, image, [cv2.IMWRITE_JPEG_QUALITY, 92] if suffix == ".jpg" else [])[1].tobytes()
    return Row(key, encoded, png(mask) if annotated else None, len(key) % 2)


def png(pixels: cv2.typing.MatLike) -> bytes:
    return cv2.imencode(".png", pixels)[1].tobytes()


def loader_settings(augmentation: AugmentationSettings, size: tuple[int, int] = (64, 64), **more: object):
    values = {"image_size": size, "batch_size": 8, "threads": 2, "augmentation": augmentation} | more
    return LoaderSettings.model_validate(values)


def run(backend: Backend, rows: list[Row], epoch: int | None, sizes: tuple[int, ...] = (8,)) -> list[Batch]:
    """The batches of rows that are dealt in shares of these sizes, the last size over and over."""
    shares, start = [], 0
    while start < len(rows):
        size = sizes[min(len(shares), len(sizes) - 1)]
        shares.append(Share(rows[start : start + size]))
        start += size
    return list(backend.batches(iter(shares), epoch))
