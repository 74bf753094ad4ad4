"""Occlusion, RISE and SmoothGrad against slow loops over the copies that they make."""

from typing import get_args

import numpy as np
import pytest
import torch
from torch import Tensor

from distxml.attribution.copies import generator_of
from distxml.attribution.explained_model import ExplainedModel
from distxml.attribution.methods import METHODS, make_method
from distxml.attribution.rise import CELLS, random_masks
from distxml.config.evaluation import EvaluationSettings, Gating
from tests.oracles import altered_copies as oracle
from tests.unit.attribution.subjects import explained, images

EVERY_GATING = pytest.mark.parametrize("gating", get_args(Gating))
SIZE = (20, 28)
TARGET = torch.tensor([1])


def probability_of(subject: ExplainedModel, image: Tensor) -> oracle.Probability:
    """Of class 1, with the gate of the whole image where it is kept."""
    gate = subject.gate(image)
    return lambda copy: subject.logits(copy, gate).double().softmax(1)[0, 1].item()


@pytest.mark.parametrize(
    ("window", "stride", "side", "step"), [(0.25, 0.5, 5, 2), (0.25, 1.0, 5, 5), (0.01, 1.0, 1, 1), (1.0, 0.3, 20, 6)]
)
def test_occlusion_window_by_window(window: float, stride: float, side: int, step: int) -> None:
    """The last window in a row or column is cut off by the border."""
    subject, image = explained("recompute"), images(1, SIZE)
    if side == 1:
        image = image[:, :, :16, :16]
    settings = EvaluationSettings(occlusion_window=window, occlusion_stride=stride)
    found = make_method("occlusion", subject, settings, seed=0).heatmap(image, TARGET)[0, 0].numpy()
    with torch.no_grad():
        expected = oracle.occlusion(image, side, step, probability_of(subject, image))
    assert np.abs(expected).max() > 1e-4
    np.testing.assert_allclose(found, expected, atol=1e-5)


@EVERY_GATING
def test_occlusion_under_every_gating(gating: Gating) -> None:
    subject, image = explained(gating), images(1, SIZE)
    settings = EvaluationSettings(occlusion_window=0.5, occlusion_stride=0.6)
    found = make_method("occlusion", subject, settings, seed=0).heatmap(image, TARGET)[0, 0].numpy()
    with torch.no_grad():
        expected = oracle.occlusion(image, 10, 6, probability_of(subject, image))
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize(("window", "stride", "places"), [(0.125, 0.5, 15**2), (0.25, 1.0, 16), (1.0, 0.5, 1)])
def test_places_of_the_window_are_the_passes_of_a_heatmap(window: float, stride: float, places: int) -> None:
    settings = EvaluationSettings(occlusion_window=window, occlusion_stride=stride, rise_masks=7, smoothgrad_samples=9)
    assert METHODS["occlusion"].passes_per_heatmap(settings) == places
    assert METHODS["rise"].passes_per_heatmap(settings) == 7
    assert METHODS["smoothgrad"].passes_per_heatmap(settings) == 27


@EVERY_GATING
def test_rise_mask_by_mask(gating: Gating) -> None:
    """Drawn a pass after the other, from the image's own generator."""
    subject, image = explained(gating), images(1, SIZE)
    generator = generator_of(image, "rise", 5)
    masks = torch.cat([random_masks(generator, count, SIZE) for count in (16, 16, 3)])
    found = make_method("rise", subject, EvaluationSettings(rise_masks=35), seed=5).heatmap(image, TARGET)[0, 0]
    with torch.no_grad():
        expected = oracle.rise(image, masks, probability_of(subject, image))
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-5)


@pytest.mark.parametrize("size", [SIZE, (7, 30), (5, 9)])
def test_a_mask_is_an_enlarged_grid_that_is_shifted(size: tuple[int, int]) -> None:
    masks = random_masks(np.random.default_rng(0), 4, size)
    assert masks.shape == (4, 1, *size)
    generator = np.random.default_rng(0)
    kept = generator.random((4, 1, CELLS, CELLS)) < 0.5
    cell = [-(-side // CELLS) for side in size]
    shifts = generator.integers(0, cell, (4, 2))
    for mask, cells, (y, x) in zip(masks, kept, shifts, strict=True):
        large = oracle.enlarged(cells[0], 8 * cell[0], 8 * cell[1])
        np.testing.assert_allclose(mask[0].numpy(), large[y : y + size[0], x : x + size[1]], atol=1e-6)


def test_masks_keep_a_half_everywhere() -> None:
    masks = random_masks(np.random.default_rng(0), 4000, (28, 28))
    assert masks.min() >= 0 and masks.max() <= 1
    assert (masks.mean(0) - 0.5).abs().max() < 0.04  # 5 standard errors of single cells


@EVERY_GATING
def test_smoothgrad_copy_by_copy(gating: Gating) -> None:
    subject, image = explained(gating), 0.2 + 0.5 * images(1, SIZE)
    settings = EvaluationSettings(smoothgrad_samples=11, smoothgrad_noise=0.2)
    found = make_method("smoothgrad", subject, settings, seed=5).heatmap(image, TARGET)
    gate, generator = subject.gate(image), generator_of(image, "smoothgrad", 5)
    deviation = 0.2 * float(image.max() - image.min())
    gradients = []
    for _ in range(11):
        noise = generator.normal(0, deviation, (3, *SIZE))
        copy = (image + torch.from_numpy(noise).float()).requires_grad_()
        gradients.append(torch.autograd.grad(subject.logits(copy, gate)[0, 1], copy)[0])
    expected = torch.stack(gradients).mean(0).abs().sum(1, keepdim=True)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5 * float(expected.max()))


def test_smoothgrad_with_hardly_any_noise_is_the_gradient() -> None:
    subject, image = explained("white"), images(1, SIZE)
    settings = EvaluationSettings(smoothgrad_samples=2, smoothgrad_noise=1e-7)
    names = ("smoothgrad", "saliency")
    smooth, plain = (make_method(name, subject, settings, seed=0).heatmap(image, TARGET) for name in names)
    torch.testing.assert_close(smooth, plain, rtol=1e-3, atol=1e-3 * float(plain.max()))
