"""Patch scores, their two orders and ties, against the oracle."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from distxml.evaluation.perturbation.patches import (
    patch_areas,
    patch_count,
    patch_order,
    patch_scores,
    rank_of_pixels,
    replaced_shares,
    tie_order,
)
from tests.oracles import patches as oracle

SEED = 7
cases = st.tuples(st.integers(0, 2**32), st.integers(1, 14), st.integers(1, 14), st.integers(1, 8), st.integers(1, 40))


def heatmap(seed: int, height: int, width: int, levels: int) -> torch.Tensor:
    """1×1×H×W of few different values, so that patches tie."""
    values = np.random.default_rng(seed).integers(0, levels + 1, (1, 1, height, width)) / levels
    return torch.from_numpy(values).float()


@given(cases)
def test_scores_and_order_agree_with_the_oracle(case):
    seed, height, width, side, levels = case
    heat = heatmap(seed, height, width, levels)
    scores = oracle.scores(heat[0, 0].double().numpy(), side)
    ties = tie_order("image", side, len(scores), SEED).tolist()
    assert patch_scores(heat, side).ravel() == pytest.approx(scores, abs=1e-12)
    for direction in ("morf", "lerf"):
        order = patch_order(heat, side, ["image"], SEED, direction)
        assert np.argsort(order.ranks.ravel()).tolist() == oracle.order(scores, ties, direction)
        assert order.tie_share[0] == pytest.approx(oracle.tie_share(scores))
        assert order.patches == patch_count((height, width), side) == len(scores)


@given(cases)
def test_every_pixel_has_the_rank_of_its_patch(case):
    seed, height, width, side, levels = case
    order = patch_order(heatmap(seed, height, width, levels), side, ["image"], SEED)
    pixels = rank_of_pixels(order, side, (height, width))
    assert pixels.shape == (1, height, width)
    for rank, patch in zip(order.ranks.ravel(), oracle.patches(height, width, side), strict=True):
        assert {int(pixels[0, i, j]) for i, j in patch} == {int(rank)}


@given(cases)
def test_the_replaced_share_is_that_of_the_pixels(case):
    seed, height, width, side, levels = case
    order = patch_order(heatmap(seed, height, width, levels), side, ["image"], SEED)
    pixels, counts = rank_of_pixels(order, side, (height, width)), range(order.patches + 1)
    expected = [(pixels < count).double().mean().item() for count in counts]
    assert replaced_shares(order, side, (height, width), counts)[0] == pytest.approx(expected, abs=1e-12)
    assert patch_areas((height, width), side).sum() == pytest.approx(1)


@pytest.mark.parametrize("value", [0.0, 1.0, 0.1, 0.9950547])
def test_a_constant_heatmap_ties_everywhere_even_where_patches_are_cut_off(value):
    for direction in ("morf", "lerf"):
        order = patch_order(torch.full((1, 1, 48, 40), value), 32, ["image"], SEED, direction)
        assert order.tie_share[0] == 1
        assert np.argsort(order.ranks.ravel()).tolist() == np.argsort(tie_order("image", 32, 4, SEED)).tolist()


def test_different_scores_do_not_tie():
    heat = torch.arange(64.0).view(1, 1, 8, 8) / 64
    order = patch_order(heat, 4, ["image"], SEED)
    assert order.tie_share[0] == 0
    assert order.ranks[0].tolist() == [[3, 2], [1, 0]]
    assert patch_order(heat, 4, ["image"], SEED, "lerf").ranks[0].tolist() == [[0, 1], [2, 3]]


def test_ties_depend_on_key_and_seed_but_not_on_the_neighbours_in_the_batch():
    zeros = torch.zeros(3, 1, 32, 32)
    together = patch_order(zeros, 4, ["a", "b", "c"], SEED).ranks
    alone = patch_order(zeros[:1], 4, ["b"], SEED).ranks
    assert (together[1] == alone[0]).all()
    assert (together[0] != together[1]).any()
    assert (patch_order(zeros[:1], 4, ["b"], SEED + 1).ranks != alone).any()


def test_ties_are_the_same_in_every_process():
    assert tie_order("image-1", 8, 6, 0).tolist() == [3, 1, 5, 4, 2, 0]


def test_every_patch_comes_first_equally_often_when_all_tie():
    first = [int(np.argmin(patch_order(torch.zeros(1, 1, 48, 48), 32, [str(i)], 0).ranks)) for i in range(2000)]
    counts = np.bincount(first, minlength=4)  # the four patches have 1024, 512, 512 and 256 pixels
    assert counts.min() > 430
    assert counts.max() < 570
