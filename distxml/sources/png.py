"""Arrays to PNG files in memory."""

import cv2
import numpy as np
from numpy.typing import NDArray


def rgb_png(image: NDArray[np.uint8]) -> bytes:
    """An H×W×3 RGB image as PNG."""
    return _png(cv2.cvtColor(image, cv2.COLOR_RGB2BGR))


def mask_png(mask: NDArray[np.uint8]) -> bytes:
    """An H×W mask of 0 and 255 as a one-channel PNG."""
    return _png(mask)


def _png(pixels: cv2.typing.MatLike) -> bytes:
    encoded, content = cv2.imencode(".png", pixels)
    if not encoded:
        raise RuntimeError(f"OpenCV cannot encode an array of shape {pixels.shape} as PNG")
    return content.tobytes()
