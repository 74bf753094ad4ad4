"""A control that knows the image, but no model: the side of Otsu's threshold that is rarer."""

import cv2
import numpy as np
import torch
from torch import Tensor

from distxml.attribution.gray import gray_images


class OtsuObject:
    """1 on the rarer side of Otsu's threshold of the gray image, taken for the object; the same for every target.

    If both sides are equally large, it is the bright one. An image of one gray value has no object.

    Source: Otsu, "A Threshold Selection Method from Gray-Level Histograms" (1979).
    """

    def heatmap(self, image: Tensor, target: Tensor) -> Tensor:
        """B×3×H×W in [0, 1] to B×1×H×W of 0 and 1."""
        del target
        objects = [_object(gray) for gray in gray_images(image)]
        return torch.from_numpy(np.stack(objects)[:, None]).to(image)


def _object(gray: np.ndarray) -> np.ndarray:
    threshold, _ = cv2.threshold(gray, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    bright = gray > threshold
    return bright if bright.mean() <= 0.5 else ~bright
