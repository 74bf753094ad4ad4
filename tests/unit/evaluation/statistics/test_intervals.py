"""Bootstrap intervals."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from distxml.evaluation.statistics import intervals
from distxml.evaluation.statistics.intervals import Bootstrap, wilson


def test_every_resample_holds_as_many_images_as_there_are(monkeypatch):
    monkeypatch.setattr(intervals, "CELLS_AT_ONCE", 1000)
    counts = np.concatenate(list(Bootstrap(30, 250, 0).counts()))
    assert counts.shape == (250, 30)
    assert (counts.sum(1) == 30).all()


def test_parts_do_not_change_the_draw(monkeypatch):
    values = np.random.default_rng(0).random((30, 2))
    whole = Bootstrap(30, 250, 0).ratios(values, np.ones_like(values))
    monkeypatch.setattr(intervals, "CELLS_AT_ONCE", 1000)
    assert Bootstrap(30, 250, 0).ratios(values, np.ones_like(values)) == pytest.approx(whole, abs=1e-12)


def test_a_mean_has_the_interval_that_theory_says():
    values = np.random.default_rng(1).normal(5, 2, (400, 1))
    low, high = Bootstrap(400, 4000, 0).ratios(values, np.ones_like(values))
    half = 1.96 * values.std() / 20
    assert low[0] == pytest.approx(values.mean() - half, abs=0.03)
    assert high[0] == pytest.approx(values.mean() + half, abs=0.03)


def test_it_covers_the_truth_about_as_often_as_it_says():
    draws = np.random.default_rng(2).normal(0, 1, (60, 500))
    low, high = Bootstrap(60, 500, 0).ratios(draws, np.ones_like(draws))
    assert 0.9 < ((low <= 0) & (high >= 0)).mean() < 0.98


def test_ratios_leave_out_what_has_no_denominator():
    values = np.array([[1.0, 0.0], [0.0, 0.0], [3.0, 0.0]])
    present = np.array([[1.0, 0.0], [0.0, 0.0], [1.0, 0.0]])
    low, high = Bootstrap(3, 1000, 0).ratios(values, present)
    assert (low[0], high[0]) == (1, 3)
    assert np.isnan(low[1])
    assert np.isnan(high[1])


def test_wilson_agrees_with_published_values():
    # Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in Medicine 17 (1998), table I
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(15, 148) == pytest.approx((0.0624, 0.1605), abs=5e-5)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert wilson(1, 29) == pytest.approx((0.0061, 0.1718), abs=5e-5)


@given(st.integers(1, 5000), st.floats(0, 1))
def test_wilson_is_the_formula(trials, share):
    successes = round(share * trials)
    assert wilson(successes, trials) == pytest.approx(by_formula(successes, trials, 1.959963984540054), abs=1e-12)
    # as printed, with the rounded percentile too
    assert wilson(successes, trials) == pytest.approx(by_formula(successes, trials, 1.959964), abs=1e-8)


def by_formula(successes: int, trials: int, z: float) -> tuple[float, float]:
    """Wilson (1927), with the 97.5th percentile of the standard normal distribution."""
    share, weight = successes / trials, z**2 / trials
    middle = (share + weight / 2) / (1 + weight)
    half = z * math.sqrt(share * (1 - share) / trials + weight / (4 * trials)) / (1 + weight)
    return middle - half, middle + half


@given(st.integers(1, 5000), st.floats(0, 1))
def test_wilson_holds_the_share_and_has_a_width(trials, share):
    for successes in (0, round(share * trials), trials):
        low, high = wilson(successes, trials)
        assert 0 <= low <= successes / trials <= high <= 1
        assert high - low > 1 / (trials + 4)
