"""Wilson's interval against published values, scipy and statsmodels; with groups, against the truth."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, norm
from scipy.stats import t as student
from statsmodels.stats.proportion import proportion_confint

from distxml.evaluation.statistics.proportions import share_interval


def by_itself(successes: int, trials: int) -> tuple[float, float]:
    """Each image a group."""
    return share_interval((np.arange(trials) < successes).astype(float), np.arange(trials))


def test_it_agrees_with_published_values():
    # Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in Medicine 17 (1998), table I
    assert by_itself(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert by_itself(15, 148) == pytest.approx((0.0624, 0.1605), abs=5e-5)
    assert by_itself(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert by_itself(1, 29) == pytest.approx((0.0061, 0.1718), abs=5e-5)


@given(st.integers(1, 2000), st.floats(0, 1))
def test_it_is_scipys_holds_the_share_and_has_a_width(trials: int, share: float):
    for successes in (0, round(share * trials), trials):
        low, high = by_itself(successes, trials)
        expected = binomtest(successes, trials).proportion_ci(method="wilson")
        assert (low, high) == pytest.approx((expected.low, expected.high), abs=1e-12)
        assert 0 <= low <= successes / trials <= high <= 1
        assert high - low > 1 / (trials + 4)


def test_groups_count_as_many_images_as_they_are_worth():
    """The design effect by hand; statsmodels takes the effective numbers."""
    success = np.array([1, 1, 1, 0, 0, 0, 1, 1, 0, 0, 1, 0], float)
    group = np.arange(12) // 3
    share = success.mean()
    sums = [sum(success[3 * place : 3 * place + 3] - share) for place in range(4)]
    variance = 4 / 3 * sum(one**2 for one in sums) / 12**2
    found, largest = variance / (share * (1 - share) / 12), 3
    telling = 3  # groups with an error, or with a success: 3 and 4
    effective = 12 / (telling / 6 * found + (1 - telling / 6) * largest)
    assert effective < 12
    z = student.isf(0.025, 3)
    expected = proportion_confint(share * effective, effective, alpha=float(2 * norm.sf(z)), method="wilson")
    assert share_interval(success, group) == pytest.approx(expected)


def test_groups_never_make_it_narrower():
    """Images of a group that disagree more than chance would have it."""
    success = np.tile([1.0, 0.0], 10)
    low, high = share_interval(success, np.arange(20) // 2)
    plain_low, plain_high = share_interval(success, np.arange(20))
    assert low < plain_low and high > plain_high


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_groups_that_all_agree_count_once_each(share: float):
    low, high = share_interval(np.full(20, share), np.arange(20) // 5)
    assert high - low > 0.5  # four patients


def test_one_group_says_nothing():
    assert share_interval(np.array([1.0, 1.0, 0.0]), np.zeros(3, np.int64)) == (0, 1)


def test_it_holds_the_truth_with_patients():
    """20 patients of 5 images whose successes are correlated: a normal trait cut so that 80% succeed."""
    generator = np.random.default_rng(0)
    group, held, plain = np.arange(100) // 5, 0, 0
    for _ in range(500):
        trait = np.sqrt(0.8) * np.repeat(generator.normal(size=20), 5) + np.sqrt(0.2) * generator.normal(size=100)
        success = (trait < 0.8416).astype(float)
        low, high = share_interval(success, group)
        held += low <= 0.8 <= high
        low, high = share_interval(success, np.arange(100))
        plain += low <= 0.8 <= high
    assert held >= 0.92 * 500
    assert plain < 0.8 * 500


def test_one_error_more_is_no_leap():
    """Ten patients of ten images: the lower end falls with every error, the first one too."""
    group, ends = np.arange(100) // 10, []
    for errors in range(8):
        success = np.ones(100)
        success[10 * np.arange(errors)] = 0  # in as many patients
        ends.append(share_interval(success, group)[0])
    assert 0.6 < ends[0] < 0.75
    assert max(np.abs(np.diff(ends))) < 0.08


@pytest.mark.parametrize("share", [0.8, 0.95])
def test_patients_with_unequal_numbers_of_images(share: float):
    generator, held = np.random.default_rng(1), 0
    group = np.repeat(np.arange(24), [12, 12, 9, 9, 7, 7, *[5] * 4, *[3] * 6, *[2] * 8])
    for _ in range(500):
        trait = np.sqrt(0.8) * generator.normal(size=24)[group] + np.sqrt(0.2) * generator.normal(size=len(group))
        low, high = share_interval((trait < norm.ppf(share)).astype(float), group)
        held += low <= share <= high
    assert held >= 0.92 * 500
