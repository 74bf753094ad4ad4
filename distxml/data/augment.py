"""Augmentation with albumentations. Image and mask take the same geometric transforms."""

import warnings

import albumentations as A
import cv2

from distxml.config.augmentation import AugmentationSettings
from distxml.config.seeds import seed_from
from distxml.data.rows import Sample

BLUR_LIMIT = 3
"""Kernel size of median and box blur."""


def _flips() -> list[A.BasicTransform | A.BaseCompose]:
    return [A.RandomRotate90(p=0.5), A.HorizontalFlip(p=0.5), A.VerticalFlip(p=0.5), A.Transpose(p=0.5)]


def _paper() -> list[A.BasicTransform | A.BaseCompose]:
    """The set of the reference code; each operation's share is albumentations' own example's."""
    blur = [A.MotionBlur(p=0.2), A.MedianBlur(BLUR_LIMIT, p=0.1), A.Blur(BLUR_LIMIT, p=0.1)]
    shift_scale_rotate = A.Affine(
        scale=(0.8, 1.2),
        translate_percent=(-0.0625, 0.0625),
        rotate=(-45, 45),
        border_mode=cv2.BORDER_REFLECT_101,
        p=0.2,
    )
    distortion = [A.OpticalDistortion(p=0.3), A.GridDistortion(p=0.1)]
    contrast = [A.CLAHE(clip_limit=2), A.Sharpen(), A.Emboss(), A.RandomBrightnessContrast()]
    return [
        *_flips(),
        A.GaussNoise(std_range=(0.01, 0.05), p=0.2),
        A.OneOf(blur, p=0.2),
        shift_scale_rotate,
        A.OneOf(distortion, p=0.2),
        A.OneOf(contrast, p=0.3),
        A.HueSaturationValue(p=0.3),
    ]


class Augmenter:
    """Augments samples; what an image becomes depends on (seed, epoch, key) alone. Not to be shared by threads."""

    def __init__(self, settings: AugmentationSettings, seed: int) -> None:
        steps = _paper() if settings.preset == "paper" else _flips()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # advice of albumentations on transforms that are never constructed here
            self.compose = A.Compose(steps, p=settings.probability)
        self.seed = seed

    def __call__(self, sample: Sample, epoch: int) -> Sample:
        """The sample, perhaps changed; its size stays."""
        self.compose.set_random_seed(seed_from("augment", self.seed, epoch, sample.key) % 2**32)
        height, width = sample.image.shape[:2]
        if sample.mask is None:
            out = self.compose(image=sample.image)
        else:
            out = self.compose(image=sample.image, mask=sample.mask)
        return Sample(
            sample.key,
            sample.label,
            _fit(out["image"], height, width, cv2.INTER_LINEAR),
            None if sample.mask is None else _fit(out["mask"], height, width, cv2.INTER_NEAREST_EXACT),
        )


def _fit(pixels, height: int, width: int, interpolation: int):
    """A quarter turn of a non-square image swaps its sides: bring it back to its size."""
    return (
        pixels
        if pixels.shape[:2] == (height, width)
        else cv2.resize(pixels, (width, height), interpolation=interpolation)
    )
