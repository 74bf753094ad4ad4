"""What replaces a patch."""

import numpy as np
import pytest
import torch
from torchvision.transforms.functional import gaussian_blur

from distxml.evaluation.perturbation.fill_images import blurred, make_fills
from tests.oracles.perturbation import blur

ALL = ("black", "white", "gray", "uniform", "blur")


def images(count: int = 2, height: int = 12, width: int = 20) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(0).random((count, 3, height, width))).float()


def test_constants():
    black, white, gray = make_fills(images(), ["a", "b"], ("black", "white", "gray"), 0.05, 0)
    assert black.unique().tolist() == [0]
    assert white.unique().tolist() == [1]
    assert gray.unique().tolist() == [0.5]


def test_uniform_is_one_colour_a_pixel_seeded_by_key_and_seed():
    image = images(2, 64, 64)
    first = make_fills(image, ["a", "b"], ("uniform",), 0.05, 0)[0]
    assert torch.equal(first[1], make_fills(image[:1], ["b"], ("uniform",), 0.05, 0)[0, 0])
    assert not torch.equal(first[0], first[1])
    assert not torch.equal(first, make_fills(image, ["a", "b"], ("uniform",), 0.05, 1)[0])
    assert first.min() >= 0
    assert first.max() <= 1
    assert first.mean().item() == pytest.approx(0.5, abs=0.01)
    assert len(first[0, :, 0].unique()) > 180  # all pixels and channels differ


@pytest.mark.parametrize("share", [0.02, 0.05, 0.3, 2.0])
def test_blur_agrees_with_the_oracle(share):
    image = images()
    sigma = share * 12
    radius = min(int(np.ceil(4 * sigma)), 11)
    expected = [blur(one.double().numpy(), sigma, radius) for one in image]
    assert blurred(image, share).numpy() == pytest.approx(np.stack(expected), abs=1e-5)


@pytest.mark.parametrize("share", [0.02, 0.05, 0.3])
def test_blur_is_torchvisions_to_the_bit(share):
    sigma = share * 12
    radius = min(int(np.ceil(4 * sigma)), 11)
    expected = gaussian_blur(images(), [2 * radius + 1] * 2, [sigma, sigma]).clamp(0, 1)
    assert torch.equal(blurred(images(), share), expected)


def test_blur_of_the_smallest_image_is_legal():
    assert blurred(images(1, 1, 1), 0.05).shape == (1, 3, 1, 1)


def test_fills_come_in_the_order_asked_for():
    fills = make_fills(images(), ["a", "b"], ALL, 0.05, 0)
    assert fills.shape == (5, 2, 3, 12, 20)
    assert torch.equal(fills[4], blurred(images(), 0.05))
    assert make_fills(images(), ["a", "b"], (), 0.05, 0).shape == (0, 2, 3, 12, 20)
