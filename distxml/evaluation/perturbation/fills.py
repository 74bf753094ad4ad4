"""What replaces a patch. Each fill is made once an image, from the unperturbed image."""

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torchvision.transforms.functional import gaussian_blur

from distxml.config.evaluation import Fill
from distxml.config.seeds import seed_from

CONSTANTS: dict[Fill, float] = {"black": 0.0, "white": 1.0, "gray": 0.5}
KERNEL_SIGMAS = 4
"""The blur's kernel reaches this many standard deviations, or as far as the image allows."""


def make_fills(image: Tensor, keys: Sequence[str], fills: Sequence[Fill], blur_sigma: float, seed: int) -> Tensor:
    """All fills of B images: F×B×3×H×W in [0, 1].

    Args:
        image: B×3×H×W in [0, 1].
        keys: B names, which seed `uniform` together with `seed`.
        fills: F names.
        blur_sigma: standard deviation of the blur as a share of the image's shorter side.
        seed: of the run.
    """
    if not fills:
        return image.new_empty(0, *image.shape)
    return torch.stack([_fill(image, keys, fill, blur_sigma, seed) for fill in fills])


def _fill(image: Tensor, keys: Sequence[str], fill: Fill, blur_sigma: float, seed: int) -> Tensor:
    if fill == "uniform":
        return torch.stack([_uniform(image[0], key, seed) for key in keys])
    if fill == "blur":
        return blurred(image, blur_sigma)
    return torch.full_like(image, CONSTANTS[fill])


def _uniform(like: Tensor, key: str, seed: int) -> Tensor:
    values = np.random.default_rng(seed_from("uniform", seed, key)).random(like.shape, np.float32)
    return torch.from_numpy(values).to(like.device)


def blurred(image: Tensor, blur_sigma: float) -> Tensor:
    """B×3×H×W, Gaussian-blurred; beyond its border the image is reflected."""
    shorter = min(image.shape[2:])
    sigma = blur_sigma * shorter
    radius = min(math.ceil(KERNEL_SIGMAS * sigma), shorter - 1)  # a reflection is at most that wide
    return gaussian_blur(image, [2 * radius + 1] * 2, [sigma, sigma]).clamp(0, 1)
