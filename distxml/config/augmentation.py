"""Settings of augmentation; both loader backends take the same (docs/augmentation.md says what each makes of them)."""

from collections.abc import Mapping
from typing import Annotated, Literal, cast

from pydantic import Field, field_validator, model_validator

from distxml.config.base import Settings

Probability = Annotated[float, Field(ge=0, le=1)]
Weight = Annotated[float, Field(ge=0, le=1000)]
OddSize = Annotated[int, Field(ge=3, le=31)]


def _require_choice(probability: float, weights: tuple[float, ...], names: str) -> None:
    if probability > 0 and sum(weights) == 0:
        raise ValueError(f"every weight of {names} is 0: set one of them, or probability to 0")


def _range(ends: tuple[float, float], most: float, example: str) -> tuple[float, float]:
    if not 0 <= ends[0] <= ends[1] <= most:
        raise ValueError(f"must be two numbers from 0 to {most:g}, the smaller first, such as {example}")
    return ends


class Chance(Settings):
    """An operation that has no strength."""

    probability: Probability = 0.5
    """Probability of the operation, for an image that is augmented."""


class NoiseSettings(Settings):
    """Gaussian noise, drawn anew for each pixel and channel."""

    probability: Probability = 0.2
    """Probability of noise, for an image that is augmented."""
    std: tuple[float, float] = (0.01, 0.05)
    """Range of the standard deviation, where white is 1."""

    @field_validator("std")
    @classmethod
    def _is_a_range(cls, std: tuple[float, float]) -> tuple[float, float]:
        return _range(std, 0.4, "[0.01, 0.05]")


class BlurSettings(Settings):
    """One of three blurs."""

    probability: Probability = 0.2
    """Probability of a blur, for an image that is augmented."""
    motion: Weight = 0.2
    """Weight of motion blur among the three."""
    median: Weight = 0.1
    """Weight of the median filter."""
    box: Weight = 0.1
    """Weight of the mean over a square."""
    motion_size: OddSize = 7
    """Longest motion in pixels, odd; the shortest is 3."""
    size: OddSize = 3
    """Side of the median filter and of the square, in pixels, odd."""

    @field_validator("motion_size", "size")
    @classmethod
    def _is_odd(cls, size: int) -> int:
        if size % 2 == 0:
            raise ValueError("must be odd")
        return size

    @model_validator(mode="after")
    def _has_a_choice(self) -> "BlurSettings":
        _require_choice(self.probability, (self.motion, self.median, self.box), "motion, median, box")
        return self


class ShiftScaleRotateSettings(Settings):
    """One affine movement about the centre; what comes in over the border is the mirrored image."""

    probability: Probability = 0.2
    """Probability of the movement, for an image that is augmented."""
    shift: float = Field(default=0.0625, ge=0, le=0.5)
    """Largest shift along a side, as a share of that side."""
    scale: float = Field(default=0.2, ge=0, le=0.5)
    """Largest change of size: 0.2 scales by 0.8 to 1.2."""
    degrees: float = Field(default=45, ge=0, le=180)
    """Largest rotation either way."""


class DistortionSettings(Settings):
    """One of three distortions."""

    probability: Probability = 0.2
    """Probability of a distortion, for an image that is augmented."""
    optical: Weight = 0.3
    """Weight of the distortion of a lens."""
    grid: Weight = 0.1
    """Weight of a grid whose columns and rows are stretched and squeezed."""
    piecewise_affine: Weight = 0.3
    """Weight of a grid whose points move each by itself, with the triangles between them."""
    optical_limit: float = Field(default=0.05, ge=0, le=0.5)
    """Largest radial coefficient k of the lens (r becomes r (1 + k r^2 + k r^4), sides are 1)."""
    grid_cells: int = Field(default=5, ge=2, le=20)
    """Columns and rows of the grid."""
    grid_limit: float = Field(default=0.3, ge=0, lt=1)
    """Largest change of a column's or row's width before all are fitted to the image."""
    affine_points: int = Field(default=4, ge=2, le=20)
    """Points along each side of the grid of `piecewise_affine`."""
    affine_scale: tuple[float, float] = (0.03, 0.05)
    """Range of the standard deviation of a point's movement, as a share of the side; a point stays inside the image."""

    @field_validator("affine_scale")
    @classmethod
    def _is_a_range(cls, scale: tuple[float, float]) -> tuple[float, float]:
        return _range(scale, 0.2, "[0.03, 0.05]")

    @model_validator(mode="after")
    def _has_a_choice(self) -> "DistortionSettings":
        weights = (self.optical, self.grid, self.piecewise_affine)
        _require_choice(self.probability, weights, "optical, grid, piecewise_affine")
        return self


class ContrastSettings(Settings):
    """One of four changes of contrast."""

    probability: Probability = 0.3
    """Probability of such a change, for an image that is augmented."""
    clahe: Weight = 1
    """Weight of contrast-limited adaptive histogram equalisation (8 x 8 tiles)."""
    sharpen: Weight = 1
    """Weight of sharpening."""
    emboss: Weight = 1
    """Weight of a relief lit from one side."""
    brightness_contrast: Weight = 1
    """Weight of a linear change of brightness and contrast."""
    clahe_limit: float = Field(default=2, ge=1, le=20)
    """Largest clip limit of CLAHE; the smallest is 1."""
    effect: float = Field(default=0.5, ge=0.2, le=1)
    """Largest share of the sharpened or embossed image in the mixture; the smallest is 0.2."""
    brightness: float = Field(default=0.2, ge=0, le=1)
    """Largest change of brightness either way, where white is 1."""
    contrast: float = Field(default=0.2, ge=0, le=1)
    """Largest change of contrast either way: 0.2 multiplies by 0.8 to 1.2."""

    @model_validator(mode="after")
    def _has_a_choice(self) -> "ContrastSettings":
        weights = (self.clahe, self.sharpen, self.emboss, self.brightness_contrast)
        _require_choice(self.probability, weights, "clahe, sharpen, emboss, brightness_contrast")
        return self


class HueSaturationValueSettings(Settings):
    """Shifts of hue, saturation and value."""

    probability: Probability = 0.3
    """Probability of the shifts, for an image that is augmented."""
    hue: float = Field(default=40, ge=0, le=180)
    """Largest turn of the hue either way, in degrees."""
    saturation: float = Field(default=30, ge=0, le=255)
    """Largest shift of the saturation either way; its range is 0 to 255."""
    value: float = Field(default=20, ge=0, le=255)
    """Largest shift of the value either way; its range is 0 to 255."""


class AugmentationSettings(Settings):
    """Random changes of the training images; masks follow every geometric one. In the order in which they come."""

    probability: Probability = 0.2
    """Probability that an image is augmented at all (0.2 in the paper's code)."""
    preset: Literal["paper", "flips", "none"] = "paper"
    """Probabilities of the operations that are not given: `paper`: the set of the paper's code. `flips`: quarter turns,
    flips (each way by itself) and transposition. `none`: none. It sets probabilities alone; strengths have the same
    defaults in all three."""
    quarter_turn: Chance = Chance()
    """A turn by 0, 90, 180 or 270 degrees."""
    flip: Chance = Chance()
    """One of three, each as likely: left becomes right, top becomes bottom, or both."""
    horizontal_flip: Chance = Chance()
    """Left becomes right; not in `paper`."""
    vertical_flip: Chance = Chance()
    """Top becomes bottom; not in `paper`."""
    transpose: Chance = Chance()
    """Rows become columns."""
    noise: NoiseSettings = NoiseSettings()
    """Gaussian noise."""
    blur: BlurSettings = BlurSettings()
    """Motion, median or box blur."""
    shift_scale_rotate: ShiftScaleRotateSettings = ShiftScaleRotateSettings()
    """One affine movement."""
    distortion: DistortionSettings = DistortionSettings()
    """Optical, grid or piecewise affine distortion."""
    contrast: ContrastSettings = ContrastSettings()
    """CLAHE, sharpen, emboss, or brightness and contrast."""
    hue_saturation_value: HueSaturationValueSettings = HueSaturationValueSettings()
    """Shifts of hue, saturation and value."""

    @model_validator(mode="before")
    @classmethod
    def _fill_from_preset(cls, given: object) -> object:
        if not isinstance(given, dict):
            return given
        values = cast(dict[str, object], given)
        left_out = _LEFT_OUT.get(str(values.get("preset", "paper")), ())
        return values | {name: _with_probability_zero(values.get(name, {})) for name in left_out}


_ONE_WAY = ("horizontal_flip", "vertical_flip")
_OTHERS = ("noise", "blur", "shift_scale_rotate", "distortion", "contrast", "hue_saturation_value")
_LEFT_OUT: Mapping[str, tuple[str, ...]] = {
    "paper": _ONE_WAY,
    "flips": ("flip", *_OTHERS),
    "none": ("quarter_turn", "flip", *_ONE_WAY, "transpose", *_OTHERS),
}
"""Operations whose probability is 0 by default, for each preset."""


def _with_probability_zero(operation: object) -> object:
    """The operation's values; where they give no probability, it is 0."""
    if not isinstance(operation, dict):
        return operation
    return {"probability": 0.0} | cast(dict[str, object], operation)
