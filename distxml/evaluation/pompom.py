"""POMPOM: the share of pixels with heat outside the region of interest. Source: Rio-Torto et al. (2020), section 4."""

from dataclasses import dataclass

from torch import Tensor

from distxml.losses import EPSILON


@dataclass(frozen=True)
class Pompom:
    """B float64 each; lower is better.

    Attributes:
        of_outside: share of the pixels outside the mask; 0 where the mask covers everything.
        of_all_pixels: the same pixels as a share of the whole image.
    """

    of_outside: Tensor
    of_all_pixels: Tensor


def pompom(heatmap: Tensor, mask: Tensor) -> Pompom:
    """#[(1−z)ẑ > ε] over #[(1−z) > ε] + ε, and over all pixels.

    Args:
        heatmap: B×1×H×W in [0, 1].
        mask: B×1×H×W, 1 inside. The result has a meaning only where an image was annotated.
    """
    outside = 1 - mask
    hot = (outside * heatmap > EPSILON).sum((1, 2, 3)).double()
    there = (outside > EPSILON).sum((1, 2, 3)).double()
    return Pompom(hot / (there + EPSILON), hot / mask[0].numel())
