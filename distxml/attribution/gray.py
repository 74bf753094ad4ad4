"""Images as OpenCV knows them."""

import cv2
import numpy as np
from numpy.typing import NDArray
from torch import Tensor


def gray_images(image: Tensor) -> list[NDArray[np.uint8]]:
    """B×3×H×W in [0, 1] to B gray images H×W of 8 bits (0.299 R + 0.587 G + 0.114 B)."""
    pixels = (image.detach().cpu() * 255).round().byte().permute(0, 2, 3, 1).numpy()  # B×H×W×3
    return [np.asarray(cv2.cvtColor(np.ascontiguousarray(one), cv2.COLOR_RGB2GRAY), np.uint8) for one in pixels]
