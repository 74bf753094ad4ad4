"""Heatmaps as colours, alone and over their image; the same in TensorBoard, in the report and in `distxml explain`.

The scale is fixed: 0 is black and 1 is pale yellow in every picture, so that a heatmap that is low everywhere looks
low everywhere.
"""

import cv2
import numpy as np
from matplotlib import colormaps
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Heat = NDArray[np.floating]

COLORMAP = "inferno"
"""Perceptually uniform, dark to light; readable without colour vision and in black-and-white print."""
NOT_A_NUMBER = (0, 255, 255)
"""RGB of heat that is NaN; a colour that the colormap does not hold."""
HEAT_SHARE = 0.6
"""Share of the heat's colour in an overlay; the rest is the image in gray."""
GAP = 4
"""White pixels between the pictures of a triptych."""

COLORS: Picture = colormaps[COLORMAP](np.arange(256), bytes=True)[:, :3]


def colorize(heatmap: Heat) -> Picture:
    """Heat H×W in [0, 1] as H×W×3 uint8 RGB; values outside are clipped, NaN is cyan."""
    level = np.clip(heatmap, 0, 1)
    level *= len(COLORS)
    np.nan_to_num(level, copy=False)
    colors = COLORS[level.clip(max=len(COLORS) - 1, out=level).astype(np.uint8)]
    colors[np.isnan(heatmap)] = NOT_A_NUMBER
    return colors


def overlay(image: Picture, heatmap: Heat) -> Picture:
    """The heat's colour over the image in gray, so that every colour comes from the heat.

    Args:
        image: H×W×3 uint8 RGB.
        heatmap: H×W in [0, 1].
    """
    gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)  # ITU-R BT.601
    gray = cv2.cvtColor(gray, cv2.COLOR_GRAY2RGB)
    return np.asarray(cv2.addWeighted(colorize(heatmap), HEAT_SHARE, gray, 1 - HEAT_SHARE, 0), np.uint8)


def triptych(image: Picture, heatmap: Heat) -> Picture:
    """Image, heatmap and overlay side by side: H×W×3 uint8 and H×W to H×(3W + 2·GAP)×3 uint8."""
    gap = np.full((image.shape[0], GAP, 3), 255, np.uint8)
    return np.concatenate([image, gap, colorize(heatmap), gap, overlay(image, heatmap)], axis=1)
