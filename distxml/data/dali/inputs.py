"""What DALI's graph is fed for a share: encoded files, and as numbers what was drawn for each image."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from distxml.config.augmentation import AugmentationSettings
from distxml.config.recipe import LoaderSettings
from distxml.data.augment.draw import Draw, draw
from distxml.data.augment.maps import IDENTITY, Size
from distxml.data.backend import Share

NUMBERS = (
    *("transpose", "flip_rows", "flip_columns", "has_noise", "has_blur", "median", "has_movement", "has_maps"),
    *("clahe", "has_relief", "has_linear", "contrast", "brightness", "has_colour", "hue", "saturation", "value"),
)
"""Columns of the input `numbers`, float32."""

_ENCODED = cv2.imencode(".png", np.full((1, 1), 255, np.uint8))[1].ravel()
EVERYWHERE: NDArray[np.uint8] = np.asarray(_ENCODED, np.uint8)
"""An encoded mask that is inside everywhere; for images without annotation."""
NO_MAPS = np.zeros((2, 1, 1), np.float32)
NO_NOISE = np.zeros((1, 1, 3), np.int16)
STILL = np.eye(2, 3, dtype=np.float32)


def inputs(settings: AugmentationSettings | None) -> tuple[str, ...]:
    """Names of the graph's inputs: those that some operation of the settings needs; None: nothing is augmented."""
    if settings is None:
        return ("image", "mask")
    needs = {
        "movement": settings.shift_scale_rotate,
        "maps": settings.distortion,
        "noise": settings.noise,
        "blur": settings.blur,
        "relief": settings.contrast,
    }
    return ("image", "mask", "numbers", *(name for name, operation in needs.items() if operation.probability > 0))


@dataclass(frozen=True)
class ShareInputs:
    """A share and what the graph is fed for it, in the order of `inputs`."""

    share: Share
    inputs: tuple[object, ...]


class Feed:
    """DALI asks it for one share's inputs after the other; it remembers which shares are on their way."""

    def __init__(self) -> None:
        self.on_their_way: deque[Share] = deque()
        self._ready: Iterator[ShareInputs] = iter(())

    def start(self, ready: Iterator[ShareInputs]) -> None:
        """Give these from now on."""
        self.on_their_way.clear()
        self._ready = ready

    def __call__(self) -> tuple[object, ...]:
        """The next share's inputs.

        Raises:
            StopIteration: there is no other share.
        """
        one = next(self._ready)
        self.on_their_way.append(one.share)
        return one.inputs


def share_inputs(
    shares: Iterator[Share], settings: LoaderSettings, seed: int, epoch: int | None
) -> Iterator[ShareInputs]:
    """The shares with their inputs; draws for (seed, epoch, key), or nothing where `epoch` is None.

    Args:
        shares: of an epoch.
        settings: of the loader.
        seed: of the augmentation.
        epoch: its number; None: nothing is drawn.
    """
    for share in shares:
        given: dict[str, object] = {
            "image": [_bytes(row.image) for row in share.rows],
            "mask": [EVERYWHERE if row.mask is None else _bytes(row.mask) for row in share.rows],
        }
        augmentation = None if epoch is None else settings.augmentation
        if epoch is not None:
            size, keys = settings.image_size, [row.key for row in share.rows]
            given |= drawn_inputs([draw(settings.augmentation, size, seed, epoch, key) for key in keys], size)
        yield ShareInputs(share, tuple(given[name] for name in inputs(augmentation)))


def drawn_inputs(draws: Sequence[Draw], size: Size) -> dict[str, object]:
    """The inputs of a batch of B images that were drawn; what an image does not need is a small stand-in."""
    return {
        "numbers": np.array([_numbers(one) for one in draws], np.float32),  # B×len(NUMBERS)
        "movement": np.stack([_canvas_movement(one, size) for one in draws]),  # B×2×3
        "maps": [NO_MAPS if one.maps is None else one.maps for one in draws],
        "noise": [NO_NOISE if one.noise is None else one.noise.field(size) for one in draws],
        "blur": [IDENTITY if one.blur is None else one.blur for one in draws],
        "relief": [IDENTITY if one.relief is None else one.relief for one in draws],
    }


def _numbers(drawn: Draw) -> tuple[float, ...]:
    colour = drawn.colour
    return (
        *(drawn.orientation.transpose, drawn.orientation.flip_rows, drawn.orientation.flip_columns),
        *(drawn.noise is not None, drawn.blur is not None, drawn.median),
        *(drawn.movement is not None, drawn.maps is not None, drawn.clahe, drawn.relief is not None),
        *(drawn.contrast != 1 or drawn.brightness != 0, drawn.contrast, drawn.brightness),
        colour is not None,
        *((colour.hue, colour.saturation, colour.value) if colour else (0.0, 0.0, 0.0)),
    )


def _canvas_movement(drawn: Draw, size: Size) -> NDArray[np.float32]:
    """The movement as DALI wants it: from pixels' corners, into the image in the middle of its mirrored canvas."""
    if drawn.movement is None:
        return STILL
    linear, offset = drawn.movement[:, :2], drawn.movement[:, 2]
    half = np.array([0.5, 0.5])
    canvas = np.array([size[1] - 1, size[0] - 1])  # `mirrored` puts as many columns and rows before the image
    return np.hstack([linear, (offset + half - linear @ half + canvas)[:, None]]).astype(np.float32)


def _bytes(data: bytes) -> NDArray[np.uint8]:
    return np.frombuffer(data or b"\0", np.uint8)  # DALI takes no empty file: this one fails to decode, and is named
