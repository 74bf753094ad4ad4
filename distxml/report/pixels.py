"""Pixels for a page: with the mask’s outline, and as an address that the page can hold."""

import base64

import cv2
import numpy as np
from numpy.typing import NDArray

OUTLINE = (64, 255, 128)
"""RGB of the line around the annotated region; a colour that heat does not have."""


def data_uri(picture: NDArray[np.uint8]) -> str:
    """H×W×3 RGB as a PNG in base64."""
    _, encoded = cv2.imencode(".png", picture[..., ::-1])
    return f"data:image/png;base64,{base64.b64encode(encoded.tobytes()).decode()}"


def outlined(picture: NDArray[np.uint8], mask: NDArray[np.uint8] | None) -> NDArray[np.uint8]:
    """H×W×3 RGB with a line one pixel wide just outside the mask, H×W, if there is one."""
    if mask is None:
        return picture
    line = cv2.dilate(mask, np.ones((3, 3), np.uint8)) > mask
    return np.where(line[..., None], np.array(OUTLINE, np.uint8), picture)
