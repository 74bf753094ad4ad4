"""Agreement of a heatmap with a mask, against its oracle and where the answer is known."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from distxml.evaluation.scoring.localization import NOTHING, Localization, localize, pompom
from tests.oracles import localization as oracle
from tests.oracles.pompom import pompom as pompom_oracle


def of_one(heat: torch.Tensor, mask: torch.Tensor, scale: bool = True) -> Localization:
    """H×W each."""
    (found,) = localize(heat[None, None], mask[None, None], torch.tensor([True]), scale)
    return found


@given(st.integers(0, 2**32), st.integers(1, 7), st.integers(1, 7), st.booleans())
def test_agrees_with_the_oracle(seed: int, height: int, width: int, scale: bool):
    generator = np.random.default_rng(seed)
    heat = generator.choice([-3, 0, 1e-7, 1e-3, 1, 40], (5, 1, height, width))
    mask = generator.integers(0, 2, (5, 1, height, width)).astype(np.float64)
    heat[0], mask[1] = 0, 0
    annotated = torch.tensor([True, True, True, True, False])
    found = localize(torch.from_numpy(heat), torch.from_numpy(mask), annotated, scale)
    assert found[4] == NOTHING
    for one, signed, z in zip(found[:4], heat[:4, 0], mask[:4, 0], strict=True):
        h = np.maximum(signed, 0)
        expected = pompom_oracle(oracle.scaled(h) if scale else h, z)
        assert (one.pompom, one.pompom_all_pixels) == pytest.approx(expected, abs=1e-9)
        assert one.energy_inside == pytest.approx(oracle.energy_inside(h, z), abs=1e-12)
        assert one.pointing == oracle.pointing(h, z)
        assert one.pompom_equal_area == pytest.approx(oracle.pompom_equal_area(signed, z), abs=1e-12)


@given(st.integers(0, 2**32), st.integers(-60, 60))
def test_a_heatmaps_scale_does_not_matter(seed: int, exponent: int):
    generator = np.random.default_rng(seed)
    heat = torch.from_numpy(generator.random((6, 6), np.float32) * generator.integers(0, 2, (6, 6), np.int8))
    mask = torch.from_numpy(generator.integers(0, 2, (6, 6))).float()
    assert of_one(heat * 2.0**exponent, mask) == of_one(heat, mask)


def test_the_in_model_heatmap_keeps_the_pompom_of_the_images():
    heat = torch.tensor([[0, 5e-7], [2e-6, 5e-4]])  # a scaled one would have three hot pixels
    mask = torch.zeros(2, 2)
    expected = pompom(heat[None, None], mask[None, None])
    found = of_one(heat, mask, scale=False)
    assert (found.pompom, found.pompom_all_pixels) == (expected.of_outside.item(), expected.of_all_pixels.item())
    assert found.pompom_all_pixels == 0.5
    assert of_one(heat, mask).pompom_all_pixels == 0.75


def test_extremes():
    left, ones, zeros = torch.tensor([[1.0, 0.0]] * 2), torch.ones(2, 2), torch.zeros(2, 2)
    everywhere = of_one(3 * ones, left)
    assert (everywhere.energy_inside, everywhere.pointing) == (0.5, 0.5)  # the mask's share of the image
    nowhere = of_one(zeros, left)
    assert (nowhere.pompom, nowhere.energy_inside, nowhere.pointing) == (0, None, 0.5)
    assert of_one(left, left) == Localization(0, 0, 0, 1, 1)
    assert of_one(left, ones) == Localization(0, 0, None, 1, 1)
    beside = of_one(1 - left, left)
    assert (beside.pompom, beside.pompom_all_pixels) == pytest.approx((1, 0.5), abs=1e-6)
    assert (beside.energy_inside, beside.pointing) == (0, 0)
    against = of_one(-left, left)  # speaks against the class, where the mask is: no heat
    assert against == replace(nowhere, pompom_equal_area=1)
    empty = of_one(left, zeros)
    assert (empty.pompom, empty.pompom_all_pixels) == pytest.approx((0.5, 0.5), abs=1e-6)
    assert (empty.pompom_equal_area, empty.energy_inside, empty.pointing) == (None, None, None)


def test_pompom_of_equal_area_looks_at_the_order_alone():
    mask = torch.tensor([[1.0, 1, 0, 0], [0, 0, 0, 0]])
    smooth = torch.tensor([[8.0, 5, 6, 4], [3, 2, 1, 0]])  # the 2 hottest: one inside, one of 6 outside
    for kind in (smooth, (smooth - 5.5).clamp_min(0), smooth - 100, smooth**3):
        assert of_one(kind, mask).pompom_equal_area == pytest.approx(1 / 6)
    edges = (smooth > 4).float()  # 3 tie for 2 places, one of them outside
    assert of_one(edges, mask).pompom_equal_area == pytest.approx(2 / 3 / 6)
    assert of_one(torch.zeros(2, 4), mask).pompom_equal_area == pytest.approx(2 / 8)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_heatmap_is_refused(value: float):
    with pytest.raises(ValueError, match="not finite"):
        of_one(torch.tensor([[1.0, value]]), torch.ones(1, 2))
