"""Controls: methods that know no model, and the image at most."""

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def gray_images(image: Tensor) -> list[NDArray[np.uint8]]:
    """B×3×H×W in [0, 1] to B gray images H×W of 8 bits (0.299 R + 0.587 G + 0.114 B)."""
    pixels = (image.detach().cpu() * 255).round().byte().permute(0, 2, 3, 1).numpy()  # B×H×W×3
    return [np.asarray(cv2.cvtColor(np.ascontiguousarray(one), cv2.COLOR_RGB2GRAY), np.uint8) for one in pixels]


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


class CenterDistance:
    """1 at the centre of the image, falling with the distance from it to 0 at the farthest pixels, the corners."""

    def heatmap(self, image: Tensor, target: Tensor) -> Tensor:
        """B×3×H×W to B×1×H×W, the same for every image and target."""
        del target
        rows, columns = (
            torch.arange(size, dtype=image.dtype, device=image.device) - (size - 1) / 2 for size in image.shape[2:]
        )
        distance = torch.hypot(rows[:, None], columns[None, :])  # H×W, in pixels
        heat = 1 - distance / distance.max()
        return heat.expand(len(image), 1, -1, -1).clone()


class NoInformation:
    """Zero everywhere, so that all patches tie and their order is the tie order: uniformly random, seeded by the key.

    So every patch size has a random order of *patches*. Patches of random pixels would not: the mean of a smaller patch
    at the border varies more, and it would come first or last more often than others.
    """

    def heatmap(self, image: Tensor, target: Tensor) -> Tensor:
        """B×3×H×W to B×1×H×W of zeros."""
        del target
        return image.new_zeros(len(image), 1, *image.shape[2:])
