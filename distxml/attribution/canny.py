"""A control that knows the image, but no model: its edges."""

import cv2
import numpy as np
import torch
from torch import Tensor

from distxml.attribution.gray import gray_images


class CannyEdges:
    """1 on the edges that Canny's detector finds in the gray image, 0 elsewhere; the same for every target.

    The high threshold is Otsu's of the gray values, the low one half of it.

    Source: Canny, "A Computational Approach to Edge Detection" (1986); Fang, Yue, Yu, "The Study on an Application of
    Otsu Method in Canny Operator" (2009).
    """

    def heatmap(self, image: Tensor, target: Tensor) -> Tensor:
        """B×3×H×W in [0, 1] to B×1×H×W of 0 and 1."""
        del target
        edges = [_edges(gray) for gray in gray_images(image)]
        return torch.from_numpy(np.stack(edges)[:, None] > 0).to(image)


def _edges(gray: np.ndarray) -> np.ndarray:
    high, _ = cv2.threshold(gray, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    return cv2.Canny(gray, high / 2, high)
