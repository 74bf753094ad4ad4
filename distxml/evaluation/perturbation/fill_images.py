"""Images that patches are replaced from. Each fill is made once per image, from the unperturbed image."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import conv2d, pad

from distxml.config.seeds import seed_from
from distxml.evaluation.perturbation.fills import FILLS
from distxml.registry import load

KERNEL_SIGMAS = 4
"""The blur's kernel reaches this many standard deviations, or as far as the image allows."""


@dataclass(frozen=True)
class Unperturbed:
    """B images, and what a fill of them may depend on.

    Attributes:
        image: B×3×H×W in [0, 1].
        keys: B names.
        blur_sigma: standard deviation of the blur as a share of the image's shorter side.
        seed: of the run.
    """

    image: Tensor
    keys: Sequence[str]
    blur_sigma: float
    seed: int


def make_fills(image: Tensor, keys: Sequence[str], fills: Sequence[str], blur_sigma: float, seed: int) -> Tensor:
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
    unperturbed = Unperturbed(image, keys, blur_sigma, seed)
    return torch.stack([load(FILLS[fill].make)(unperturbed) for fill in fills])


def black(unperturbed: Unperturbed) -> Tensor:
    """0 everywhere."""
    return torch.full_like(unperturbed.image, 0.0)


def white(unperturbed: Unperturbed) -> Tensor:
    """1 everywhere."""
    return torch.full_like(unperturbed.image, 1.0)


def gray(unperturbed: Unperturbed) -> Tensor:
    """0.5 everywhere."""
    return torch.full_like(unperturbed.image, 0.5)


def uniform(unperturbed: Unperturbed) -> Tensor:
    """One random RGB value per pixel, the same for the same seed and key."""
    return torch.stack([_noise(unperturbed.image[0], key, unperturbed.seed) for key in unperturbed.keys])


def _noise(like: Tensor, key: str, seed: int) -> Tensor:
    values = np.random.default_rng(seed_from("uniform", seed, key)).random(like.shape, np.float32)
    return torch.from_numpy(values).to(like.device)


def blur(unperturbed: Unperturbed) -> Tensor:
    """The Gaussian-blurred image."""
    return blurred(unperturbed.image, unperturbed.blur_sigma)


def blurred(image: Tensor, blur_sigma: float) -> Tensor:
    """B×3×H×W, Gaussian-blurred; beyond its border the image is reflected.

    As torchvision does it, which takes seconds to import in every worker; the VGG needs nothing else of it.
    """
    shorter = min(image.shape[2:])
    sigma = blur_sigma * shorter
    radius = min(math.ceil(KERNEL_SIGMAS * sigma), shorter - 1)  # a reflection is at most that wide
    kernel = _gaussian_kernel(radius, sigma).to(image).expand(3, 1, -1, -1)
    reflected = pad(image, [radius] * 4, mode="reflect")
    return conv2d(reflected, kernel, groups=3).clamp(0, 1)


def _gaussian_kernel(radius: int, sigma: float) -> Tensor:
    """(2·radius + 1)², its sum 1."""
    offsets = torch.linspace(-radius, radius, 2 * radius + 1)
    weights = torch.exp(-0.5 * (offsets / sigma).pow(2))
    weights = weights / weights.sum()
    return weights[:, None] @ weights[None, :]
