"""Arrays to PNG files in memory."""

import cv2
import numpy as np
from numpy.typing import NDArray


def rgb_png(image: NDArray[np.uint8]) -> bytes:
    """An H×W×3 RGB image as PNG."""
    return _png(cv2.cvtColor(image, cv2.COLOR_RGB2BGR))


def grey_png(image: NDArray[np.uint8]) -> bytes:
    """An H×W image as a one-channel PNG."""
    return _png(image)


def mask_png(mask: NDArray[np.uint8]) -> bytes:
    """An H×W mask of 0 and 255 as a one-channel PNG."""
    # At OpenCV's default level a flat mask takes several times longer to decode, at each epoch anew.
    return _png(mask, (cv2.IMWRITE_PNG_COMPRESSION, 3))


def _png(pixels: cv2.typing.MatLike, flags: tuple[int, ...] = ()) -> bytes:
    encoded, content = cv2.imencode(".png", pixels, flags)
    if not encoded:
        raise RuntimeError(f"OpenCV cannot encode an array of shape {pixels.shape} as PNG")
    return content.tobytes()
