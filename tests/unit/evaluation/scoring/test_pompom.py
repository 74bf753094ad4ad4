"""POMPOM against its oracle."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from distxml.evaluation.scoring.localization import pompom
from tests.oracles.pompom import pompom as oracle


@given(st.integers(0, 2**32), st.integers(1, 9), st.integers(1, 9))
def test_agrees_with_the_oracle(seed, height, width):
    generator = np.random.default_rng(seed)
    heat = generator.choice([0, 1e-7, 1e-3, 1], (3, 1, height, width)).astype(np.float32)
    mask = generator.integers(0, 2, (3, 1, height, width)).astype(np.float32)
    found = pompom(torch.from_numpy(heat), torch.from_numpy(mask))
    expected = [oracle(h[0], z[0]) for h, z in zip(heat, mask, strict=True)]
    assert found.of_outside.tolist() == pytest.approx([outside for outside, _ in expected], abs=1e-9)
    assert found.of_all_pixels.tolist() == pytest.approx([everywhere for _, everywhere in expected], abs=1e-9)


@pytest.mark.parametrize(
    ("heat", "mask", "of_outside", "of_all"),
    [(0, 0, 0, 0), (1, 0, 1, 1), (1, 1, 0, 0), (0, 1, 0, 0)],
    ids=["nothing", "all hot, empty mask", "all hot, full mask", "all black, full mask"],
)
def test_extremes(heat, mask, of_outside, of_all):
    found = pompom(torch.full((1, 1, 8, 8), float(heat)), torch.full((1, 1, 8, 8), float(mask)))
    assert found.of_outside.item() == pytest.approx(of_outside, abs=1e-6)
    assert found.of_all_pixels.item() == of_all
