"""Pictures as pixels for a page: with the mask’s outline, made smaller, as an address that the page can hold."""

import base64

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
"""H×W×3, RGB."""
OUTLINE = (64, 255, 128)
"""RGB of the line around the annotated region; a colour that heat does not have."""
SMALL = 128
"""Pixels of the longer side below which single pixels stay visible when a picture is enlarged."""
MAX_SIDE = 160
"""Pixels of the longer side of a thumbnail; the page shows it smaller still."""


def data_uri(picture: Pixels) -> str:
    """The picture as a PNG in base64."""
    _, encoded = cv2.imencode(".png", picture[..., ::-1])
    return f"data:image/png;base64,{base64.b64encode(encoded.tobytes()).decode()}"


def outlined(picture: Pixels, mask: NDArray[np.uint8] | None) -> Pixels:
    """With a line one pixel wide just outside the mask, H×W, if there is one."""
    if mask is None:
        return picture
    line = cv2.dilate(mask, np.ones((3, 3), np.uint8)) > mask
    return np.where(line[..., None], np.array(OUTLINE, np.uint8), picture)


def thumbnail(picture: Pixels) -> Pixels:
    """The same with at most `MAX_SIDE` pixels per side."""
    share = MAX_SIDE / max(picture.shape[:2])
    if share >= 1:
        return picture
    size = (round(share * picture.shape[1]), round(share * picture.shape[0]))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
