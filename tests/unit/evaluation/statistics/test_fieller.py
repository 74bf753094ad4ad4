"""Ratios of means: against the test that their intervals are read from, and against the truth where it is known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distxml.evaluation.statistics.fieller import ratios_of_means
from distxml.evaluation.statistics.groups import Groups
from tests.oracles import intervals as oracle


def of_groups(groups: Groups, values: np.ndarray) -> list[list[float]]:
    """As the oracle takes them."""
    return [values[groups.number == number].tolist() for number in range(groups.count)]


@given(st.integers(0, 2**32), st.booleans(), st.floats(-0.2, 2))
@settings(max_examples=25)
def test_they_are_those_of_the_test(seed: int, patients: bool, shift: float):
    generator = np.random.default_rng(seed)
    groups = Groups(np.resize(np.arange(10), 24) if patients else np.arange(24))
    below = generator.normal(shift, size=(24, 1))
    above = 1.5 * below + generator.normal(size=(24, 3))
    found = ratios_of_means(above, below, groups)
    for column in range(3):
        expected = oracle.ratio_of_means(of_groups(groups, above[:, column]), of_groups(groups, below[:, 0]))
        if expected is None:
            assert np.isnan([found.value[column], found.low[column], found.high[column]]).all()
        else:
            assert found.value[column] == pytest.approx(above[:, column].mean() / below.mean())
            assert (found.low[column], found.high[column]) == pytest.approx(expected, rel=1e-6, abs=1e-6)


def test_where_both_agree_but_for_a_factor_there_is_a_ratio_without_an_interval():
    below = np.random.default_rng(0).random((12, 1))
    found = ratios_of_means(1.5 * below, below, Groups(np.arange(12)))
    assert found.value[0] == pytest.approx(1.5)
    assert np.isnan(found.low[0]) and np.isnan(found.high[0])


def test_fewer_than_six_groups_have_none():
    below = np.random.default_rng(0).random((30, 1))
    for count, known in ((5, False), (6, True)):
        found = ratios_of_means(below**2, below, Groups(np.arange(30) % count))
        assert np.isfinite([found.value[0], found.low[0], found.high[0]]).all() == known


@pytest.mark.parametrize(("spread", "images", "shown"), [(1.0, 12, 0.8), (1.0, 60, 0.99), (3.0, 60, 0.6)])
def test_those_that_are_shown_hold_the_truth(spread: float, images: int, shown: float):
    """Three times what is below, whose standard deviation is one or three times its mean, so that some are negative."""
    generator = np.random.default_rng(1)
    below = 1 + spread * generator.normal(size=(1000, images, 1))
    above = 3 + spread * (0.7 * (below - 1) / spread + 0.7 * generator.normal(size=(1000, images, 1)))
    found = [ratios_of_means(*pair, Groups(np.arange(images))) for pair in zip(above, below, strict=True)]
    ends = np.array([(one.low[0], one.high[0]) for one in found if np.isfinite(one.value[0])])
    assert len(ends) >= shown * 1000 and np.isfinite(ends).all()
    assert 0.93 <= ((ends[:, 0] <= 3) & (ends[:, 1] >= 3)).mean() <= 0.98
