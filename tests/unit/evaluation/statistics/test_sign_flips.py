"""The sign-flip test against scipy's permutation test, and its level where nothing differs."""

import numpy as np
import pytest
from scipy.stats import permutation_test

from distxml.evaluation.statistics.groups import Groups
from distxml.evaluation.statistics.resamples import Resamples
from distxml.evaluation.statistics.sign_flips import sign_flip_p_value


@pytest.mark.parametrize("seed", range(5))
def test_few_groups_are_gone_through_whole(seed: int):
    difference = np.random.default_rng(seed).normal(0.4, 1, 9)
    expected = permutation_test((difference,), np.mean, permutation_type="samples", n_resamples=1000)
    assert sign_flip_p_value(difference, Resamples(Groups(np.arange(9)), 100, 0)) == pytest.approx(expected.pvalue)


def test_many_groups_are_drawn():
    difference = np.random.default_rng(1).normal(0.2, 1, 60)
    expected = permutation_test(
        (difference,), np.mean, permutation_type="samples", n_resamples=20_000, rng=np.random.default_rng(0)
    )
    assert sign_flip_p_value(difference, Resamples(Groups(np.arange(60)), 20_000, 0)) == pytest.approx(
        expected.pvalue, abs=0.01
    )


def test_a_group_is_flipped_as_a_whole():
    difference = np.random.default_rng(2).normal(0.4, 1, (10, 3))
    of_patients = sign_flip_p_value(difference.ravel(), Resamples(Groups(np.arange(30) // 3), 100, 0))
    assert of_patients == pytest.approx(sign_flip_p_value(difference.sum(1), Resamples(Groups(np.arange(10)), 100, 0)))


def test_six_that_agree_are_one_in_32():
    assert sign_flip_p_value(np.ones(6), Resamples(Groups(np.arange(6)), 100, 0)) == 2 / 64
    assert sign_flip_p_value(np.zeros(6), Resamples(Groups(np.arange(6)), 100, 0)) == 1


def test_without_a_difference_it_is_small_as_rarely_as_it_says():
    generator = np.random.default_rng(3)
    found = [
        sign_flip_p_value(generator.standard_t(3, 8), Resamples(Groups(np.arange(8)), 100, 0)) for _ in range(1000)
    ]
    assert np.mean(np.array(found) < 0.05) <= 0.06
