"""What happens to one image: drawn from (seed, epoch, key) alone, then applied by either backend."""

from dataclasses import dataclass
from functools import cache
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from distxml.config.augmentation import (
    AugmentationSettings,
    BlurSettings,
    ContrastSettings,
    DistortionSettings,
    HueSaturationValueSettings,
    NoiseSettings,
    ShiftScaleRotateSettings,
)
from distxml.config.seeds import seed_from
from distxml.data.augment.maps import (
    Kernel,
    Size,
    box_kernel,
    embossing_kernel,
    grid_maps,
    lens_maps,
    motion_kernel,
    movement,
    piecewise_affine_maps,
    sharpening_kernel,
)


@dataclass(frozen=True)
class Orientation:
    """One of the eight ways to lay a square onto itself: first transpose, then flip."""

    transpose: bool = False
    flip_rows: bool = False
    flip_columns: bool = False

    def __bool__(self) -> bool:
        return self.transpose or self.flip_rows or self.flip_columns

    def then_flip_rows(self) -> "Orientation":
        """This, and then top becomes bottom."""
        return Orientation(self.transpose, not self.flip_rows, self.flip_columns)

    def then_flip_columns(self) -> "Orientation":
        """This, and then left becomes right."""
        return Orientation(self.transpose, self.flip_rows, not self.flip_columns)

    def then_transpose(self) -> "Orientation":
        """This, and then rows become columns."""
        return Orientation(not self.transpose, self.flip_columns, self.flip_rows)


@dataclass(frozen=True)
class Noise:
    """Gaussian noise: standard deviation in grey levels, and the seed of its values."""

    std: float
    seed: int

    def field(self, size: Size) -> NDArray[np.int16]:
        """H×W×3 grey levels to add."""
        levels = np.rint(self.std * _normal_quantiles()).astype(np.int16)
        return levels[np.random.Generator(np.random.SFC64(self.seed)).integers(2**16, size=(*size, 3), dtype=np.uint16)]


@cache
def _normal_quantiles() -> NDArray[np.float64]:
    """The middles of 2^16 equally probable slices of the normal distribution: to look up is to draw, and faster."""
    normal = NormalDist()
    return np.array([normal.inv_cdf((slice_ + 0.5) / 2**16) for slice_ in range(2**16)])


@dataclass(frozen=True)
class ColourShift:
    """Degrees of hue; saturation and value in 255ths."""

    hue: float
    saturation: float
    value: float


@dataclass(frozen=True)
class Draw:
    """What one image goes through, in the order of the fields; the defaults change nothing.

    Attributes:
        noise: to add.
        blur: K×K kernel, K odd.
        median: side of the median filter, 0 for none.
        movement: 2×3, from a pixel (x, y) of the result to where it comes from.
        maps: 2×H×W, x and y where each pixel of the result comes from.
        clahe: clip limit, 0 for none.
        relief: 3×3 kernel that sharpens or embosses.
        contrast: factor of all values.
        brightness: added after that, where white is 1.
        colour: shift of hue, saturation and value.
    """

    orientation: Orientation = Orientation()
    noise: Noise | None = None
    blur: Kernel | None = None
    median: int = 0
    movement: NDArray[np.float64] | None = None
    maps: NDArray[np.float32] | None = None
    clahe: float = 0.0
    relief: Kernel | None = None
    contrast: float = 1.0
    brightness: float = 0.0
    colour: ColourShift | None = None


UNCHANGED = Draw()


def draw(settings: AugmentationSettings, size: Size, seed: int, epoch: int, key: str) -> Draw:
    """What happens to an image of `size` (height, width); `UNCHANGED` where it is not augmented.

    Args:
        settings: probabilities and strengths.
        size: height and width of the image.
        seed: of the run.
        epoch: its number, from 0.
        key: of the image.
    """
    own = seed_from("augment", seed, epoch, key)
    if own / 2**64 >= settings.probability:  # before a generator is made: most images need none
        return UNCHANGED
    rng = np.random.Generator(np.random.SFC64(own))
    fields: dict[str, object] = {"orientation": _orientation(settings, rng)}
    if _hit(settings.noise.probability, rng):
        fields["noise"] = _noise(settings.noise, rng)
    if _hit(settings.blur.probability, rng):
        fields |= _blur(settings.blur, rng)
    if _hit(settings.shift_scale_rotate.probability, rng):
        fields["movement"] = _movement(settings.shift_scale_rotate, size, rng)
    if _hit(settings.distortion.probability, rng):
        fields["maps"] = _maps(settings.distortion, size, rng)
    if _hit(settings.contrast.probability, rng):
        fields |= _contrast(settings.contrast, rng)
    if _hit(settings.hue_saturation_value.probability, rng):
        fields["colour"] = _colour(settings.hue_saturation_value, rng)
    return Draw(**fields)  # pyright: ignore[reportArgumentType]


def _hit(probability: float, rng: np.random.Generator) -> bool:
    return rng.random() < probability


def _one_of(rng: np.random.Generator, **weights: float) -> str:
    shares = np.array(list(weights.values())) / sum(weights.values())
    return list(weights)[int(rng.choice(len(shares), p=shares))]


def _orientation(settings: AugmentationSettings, rng: np.random.Generator) -> Orientation:
    orientation = Orientation()
    if _hit(settings.quarter_turn.probability, rng):
        for _ in range(int(rng.integers(4))):
            orientation = orientation.then_transpose().then_flip_rows()  # a quarter turn to the left
    if settings.flip.probability and _hit(settings.flip.probability, rng):  # unused, it draws nothing
        kind = int(rng.integers(3))
        orientation = orientation.then_flip_columns() if kind != 1 else orientation
        orientation = orientation.then_flip_rows() if kind != 0 else orientation
    if _hit(settings.horizontal_flip.probability, rng):
        orientation = orientation.then_flip_columns()
    if _hit(settings.vertical_flip.probability, rng):
        orientation = orientation.then_flip_rows()
    return orientation.then_transpose() if _hit(settings.transpose.probability, rng) else orientation


def _noise(settings: NoiseSettings, rng: np.random.Generator) -> Noise:
    return Noise(255 * float(rng.uniform(*settings.std)), int(rng.integers(2**63)))


def _blur(settings: BlurSettings, rng: np.random.Generator) -> dict[str, object]:
    kind = _one_of(rng, motion=settings.motion, median=settings.median, box=settings.box)
    if kind == "median":
        return {"median": settings.size}
    if kind == "box":
        return {"blur": box_kernel(settings.size)}
    size = 2 * int(rng.integers(1, settings.motion_size // 2 + 1)) + 1
    bias = rng.uniform(-1, 1)  # towards one end of the line
    begin, end = (-1 + max(bias, 0), 1 + min(bias, 0))
    return {"blur": motion_kernel(size, rng.uniform(0, 2 * np.pi), begin, end)}


def _movement(settings: ShiftScaleRotateSettings, size: Size, rng: np.random.Generator) -> NDArray[np.float64]:
    x, y, scale = rng.uniform(-1, 1, 3) * (settings.shift, settings.shift, settings.scale)
    return movement(size, (x, y), 1 + scale, rng.uniform(-settings.degrees, settings.degrees))


def _maps(settings: DistortionSettings, size: Size, rng: np.random.Generator) -> NDArray[np.float32]:
    names = ("optical", "grid", "piecewise_affine")
    kind = _one_of(rng, **{name: getattr(settings, name) for name in names})
    if kind == "optical":
        return lens_maps(size, rng.uniform(-settings.optical_limit, settings.optical_limit))
    if kind == "piecewise_affine":
        points, scale = settings.affine_points, rng.uniform(*settings.affine_scale)
        return piecewise_affine_maps(size, rng.normal(0, scale, (2, points, points)))
    widths, heights = 1 + rng.uniform(-settings.grid_limit, settings.grid_limit, (2, settings.grid_cells))
    return grid_maps(size, widths, heights)


def _contrast(settings: ContrastSettings, rng: np.random.Generator) -> dict[str, object]:
    """Ranges that are not settings are the defaults of albumentations' operations."""
    names = ("clahe", "sharpen", "emboss", "brightness_contrast")
    kind = _one_of(rng, **{name: getattr(settings, name) for name in names})
    if kind == "clahe":
        return {"clahe": rng.uniform(1, settings.clahe_limit)}
    if kind == "brightness_contrast":
        contrast, brightness = rng.uniform(-1, 1, 2) * (settings.contrast, settings.brightness)
        return {"contrast": 1 + float(contrast), "brightness": float(brightness)}
    share = rng.uniform(0.2, settings.effect)
    if kind == "sharpen":
        return {"relief": sharpening_kernel(share, rng.uniform(0.5, 1))}
    return {"relief": embossing_kernel(share, rng.uniform(0.2, 0.7))}


def _colour(settings: HueSaturationValueSettings, rng: np.random.Generator) -> ColourShift:
    shifts = rng.uniform(-1, 1, 3) * (settings.hue, settings.saturation, settings.value)
    return ColourShift(*(float(shift) for shift in shifts))
