"""Intervals against a naive re-implementation, against statsmodels, and against the truth where it is known."""

from collections.abc import Sequence

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t as student
from scipy.stats import ttest_1samp

from distxml.evaluation.statistics.group_sums import GroupSums
from distxml.evaluation.statistics.groups import Groups
from distxml.evaluation.statistics.intervals import estimates, estimates_by_log, means
from tests.oracles import intervals as oracle


def single(images: int) -> Groups:
    """Each image a group by itself."""
    return Groups(np.arange(images))


def grouped(groups: Groups, numerators: np.ndarray, denominators: np.ndarray) -> Sequence[oracle.Group]:
    """One column as the oracle takes it."""
    found: list[list[tuple[float, float]]] = [[] for _ in range(groups.count)]
    for number, pair in zip(groups.number, zip(numerators.tolist(), denominators.tolist(), strict=True), strict=True):
        found[number].append(pair)
    return found


@given(st.integers(0, 2**32), st.sampled_from([None, 2, 3, "uneven"]))
@settings(max_examples=25)
def test_they_are_the_naive_ones(seed: int, size: int | str | None):
    generator = np.random.default_rng(seed)
    if size == "uneven":
        groups = Groups.of(generator.choice(list("abcdefghij"), 24).tolist())
    else:
        groups = single(24) if size is None else Groups(generator.permutation(np.arange(24) // int(size)))
    values = generator.exponential(size=(24, 3))
    present = (generator.random((24, 3)) < 0.8).astype(float)
    for found, below in (
        (means(values, groups), np.ones_like(values)),
        (estimates(GroupSums.of(values * present, present, groups)), present),
    ):
        for column in range(3):
            of_groups = grouped(groups, values[:, column] * below[:, column], below[:, column])
            assert found.value[column] == pytest.approx(oracle.ratio(of_groups))
            sizes = [sum(denominator for _, denominator in group) for group in of_groups]
            known = sum(sizes) ** 2 / sum(size**2 for size in sizes) >= 6
            expected = oracle.interval(of_groups) if known else (np.nan, np.nan)
            assert (found.low[column], found.high[column]) == pytest.approx(expected, nan_ok=True)


def test_standard_errors_are_those_of_clustered_regression():
    """statsmodels, ordinary least squares on a constant, errors robust to clusters."""
    generator = np.random.default_rng(2)
    number = generator.integers(0, 12, 50)
    number[:12] = np.arange(12)
    values = generator.random(50) + 0.3 * number
    fit = sm.OLS(values, np.ones(50)).fit(cov_type="cluster", cov_kwds={"groups": number, "use_correction": False})
    found = GroupSums.of(values[:, None], np.ones((50, 1)), Groups(number))
    assert found.estimate[0] == pytest.approx(fit.params[0])
    assert found.plain_error()[0] == pytest.approx(fit.bse[0] * np.sqrt(12 / 11))
    assert found.error()[0] > found.plain_error()[0] * 0.98  # near it, where sizes are near each other


def test_without_skewness_they_are_students():
    half = np.random.default_rng(1).normal(size=20)
    values = np.concatenate([3 + half, 3 - half])
    found = means(values[:, None], single(40))
    expected = ttest_1samp(values, 0).confidence_interval()
    assert (found.low[0], found.high[0]) == pytest.approx((expected.low, expected.high))


def test_skewed_values_reach_further_on_their_long_side():
    values = np.random.default_rng(1).exponential(size=(40, 1))
    found = means(values, single(40))
    assert found.high[0] - found.value[0] > 1.2 * (found.value[0] - found.low[0])


def test_one_outlier_does_not_blow_an_interval_up():
    """Eleven images agree nearly, one does not: a studentised bootstrap would reach ten times further."""
    values = np.full((12, 1), 0.7) + 0.001 * np.random.default_rng(0).normal(size=(12, 1))
    values[5] = 0
    found = means(values, single(12))
    assert -0.2 < found.low[0] < 0.6 and 0.68 < found.high[0] < 0.75


def test_a_ratio_by_its_logarithm_is_above_0_and_the_same_upside_down():
    above, below = np.random.default_rng(3).random((2, 24, 1))
    groups = Groups(np.arange(24) // 2)
    found, turned = (estimates_by_log(GroupSums.of(*pair, groups)) for pair in ((above, below), (below, above)))
    assert found.value[0] == pytest.approx(above.sum() / below.sum())
    assert 0 < found.low[0] < found.value[0] < found.high[0]
    assert (1 / turned.high[0], 1 / turned.low[0]) == pytest.approx((found.low[0], found.high[0]), rel=0.02)
    sums = GroupSums.of(above, below, groups)
    percentile = student.ppf(0.975, sums.effective[0] - 1)
    assert np.log(found.high[0] / found.value[0]) == pytest.approx(percentile * sums.error()[0] / found.value[0])


@pytest.mark.parametrize("values", [np.full((9, 1), 0.0199), 0.5 + 1e-12 * np.arange(9)[:, None]])
def test_values_that_agree_have_no_interval(values: np.ndarray):
    found = means(values, single(9))
    assert found.value[0] == pytest.approx(values[0, 0])
    assert np.isnan(found.low[0]) and np.isnan(found.high[0])


def test_fewer_than_six_groups_have_no_interval():
    values = np.random.default_rng(0).random((30, 1))
    for count, known in ((5, False), (6, True)):
        found = means(values, Groups(np.arange(30) % count))
        assert np.isfinite(found.low[0]) == np.isfinite(found.high[0]) == known


@pytest.mark.parametrize(("kind", "images"), [("normal", 6), ("normal", 12), ("skewed", 12), ("skewed", 60)])
def test_they_hold_the_truth_as_often_as_they_say(kind: str, images: int):
    """2,000 made-up columns with a mean of 0; benchmarks/coverage.py has the large tables."""
    generator = np.random.default_rng(5)
    columns = (images, 2000)
    values = generator.normal(size=columns) if kind == "normal" else generator.exponential(size=columns) - 1
    found = means(values, single(images))
    assert 0.93 <= ((found.low <= 0) & (found.high >= 0)).mean() <= 0.97


def test_with_patients_they_hold_the_truth():
    """20 patients of 5 images, correlated by 0.8: taken as 100 independent images, 64% of the intervals would."""
    generator = np.random.default_rng(6)
    of_patient, own = generator.normal(size=(20, 1, 2000)), generator.normal(size=(20, 5, 2000))
    values = (np.sqrt(0.8) * of_patient + np.sqrt(0.2) * own).reshape(100, 2000)
    found = means(values, Groups(np.arange(100) // 5))
    assert 0.93 <= ((found.low <= 0) & (found.high >= 0)).mean() <= 0.97
    found = means(values, single(100))
    assert ((found.low <= 0) & (found.high >= 0)).mean() < 0.7


@pytest.mark.parametrize("sizes", [[50, *[2] * 19], [12, 12, 9, 9, 7, 7, *[5] * 4, *[3] * 6, *[2] * 8]])
def test_patients_with_unequal_numbers_of_images_hold_the_truth_or_have_no_interval(sizes: list[int]):
    """One patient with more than half of the images is as good as alone."""
    generator = np.random.default_rng(8)
    number = np.repeat(np.arange(len(sizes)), sizes)
    of_patient, own = generator.normal(size=(len(sizes), 2000)), generator.normal(size=(len(number), 2000))
    found = means(np.sqrt(0.8) * of_patient[number] + np.sqrt(0.2) * own, Groups(number))
    if sizes[0] == 50:
        assert np.isnan(found.low).all()
    else:
        assert 0.93 <= ((found.low <= 0) & (found.high >= 0)).mean() <= 0.97
