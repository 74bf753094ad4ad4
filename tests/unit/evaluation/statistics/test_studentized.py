"""The studentised bootstrap against a naive one, against statsmodels, and against the truth where it is known."""

from collections.abc import Sequence

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st

from distxml.evaluation.statistics import resamples as drawing
from distxml.evaluation.statistics.resamples import Resamples
from distxml.evaluation.statistics.studentized import (
    ratio_interval_by_log,
    studentized_means,
    studentized_ratios,
)
from tests.oracles import bootstrap as oracle

DRAWS = 201


def single(images: int, draws: int = DRAWS, seed: int = 0) -> Resamples:
    """Each image a group by itself."""
    return Resamples(np.arange(images), draws, seed)


def counts_of(resamples: Resamples) -> np.ndarray:
    return np.concatenate(list(resamples.counts()))


def grouped(resamples: Resamples, numerators: np.ndarray, denominators: np.ndarray) -> Sequence[oracle.Group]:
    """One column as the oracle takes it."""
    groups: list[list[tuple[float, float]]] = [[] for _ in range(resamples.groups)]
    for group, pair in zip(resamples.group, zip(numerators.tolist(), denominators.tolist(), strict=True), strict=True):
        groups[group].append(pair)
    return groups


def test_every_resample_holds_as_many_groups_as_there_are(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(drawing, "CELLS_AT_ONCE", 1000)
    resamples = Resamples(np.arange(60) // 2, 250, 0)
    counts = counts_of(resamples)
    assert counts.shape == (250, 30)
    assert (counts.sum(1) == 30).all()
    of_images = np.concatenate(list(resamples.image_counts()))
    assert (of_images == counts[:, resamples.group]).all()
    whole = studentized_means(np.random.default_rng(0).random((60, 2)), resamples)
    monkeypatch.setattr(drawing, "MAX_CELLS_KEPT", 0)  # drawn anew each time
    again = studentized_means(np.random.default_rng(0).random((60, 2)), Resamples(resamples.group, 250, 0))
    assert (whole.samples == again.samples).all()


def test_every_group_is_drawn_as_often_as_any_other():
    counts = counts_of(Resamples(np.arange(5), 40_000, 3))
    assert counts.mean(0) == pytest.approx(np.ones(5), abs=0.02)
    assert counts.var(0) == pytest.approx(np.full(5, 0.8), abs=0.02)  # binomial: 5 draws, 1/5 each


@given(st.integers(0, 2**32), st.sampled_from([None, 2, 3]))
@settings(max_examples=12)
def test_it_is_the_naive_one(seed: int, size: int | None):
    generator = np.random.default_rng(seed)
    images = 24
    group = np.arange(images) if size is None else generator.permutation(np.arange(images) // size)
    resamples = Resamples(group, DRAWS, seed)
    values = np.round(generator.random((images, 3)), 1)
    present = (generator.random((images, 3)) < 0.7).astype(float)
    present[0] = 1
    for found, below in (
        (studentized_means(values, resamples), np.ones_like(values)),
        (studentized_ratios(values * present, present, resamples), present),
    ):
        above = values * below
        for column in range(3):
            groups = grouped(resamples, above[:, column], below[:, column])
            low, high, p = oracle.studentized(counts_of(resamples), groups)
            assert found.estimate[column] == pytest.approx(oracle.ratio(groups))
            assert found.interval()[:, column] == pytest.approx([low, high])
            if not np.isnan(found.t()[column]):
                assert found.p_values()[column] == pytest.approx(p)


def test_standard_errors_are_those_of_clustered_regression():
    """statsmodels, ordinary least squares on a constant, errors robust to clusters."""
    generator = np.random.default_rng(2)
    group = generator.integers(0, 12, 50)
    group[:12] = np.arange(12)
    values = generator.random(50) + 0.3 * group
    fit = sm.OLS(values, np.ones(50)).fit(cov_type="cluster", cov_kwds={"groups": group, "use_correction": False})
    found = studentized_means(values[:, None], Resamples(group, 10, 0))
    assert found.estimate[0] == pytest.approx(fit.params[0])
    assert found.error[0] == pytest.approx(fit.bse[0] * np.sqrt(12 / 11))


def test_without_groups_the_error_is_the_textbooks():
    values = np.random.default_rng(1).normal(5, 2, (40, 1))
    found = studentized_means(values, single(40))
    assert found.error[0] == pytest.approx(values.std(ddof=1) / np.sqrt(40))


def test_ratios_by_logarithm_are_the_naive_ones():
    generator = np.random.default_rng(3)
    resamples = Resamples(np.arange(24) // 2, DRAWS, 1)
    above, below = generator.random((2, 24))
    low, high, _ = oracle.studentized(counts_of(resamples), grouped(resamples, above, below), log=True)
    assert ratio_interval_by_log(above[:, None], below[:, None], resamples)[:, 0] == pytest.approx([low, high])


@pytest.mark.parametrize("values", [np.full((9, 1), 0.0199), 0.5 + 1e-12 * np.arange(9)[:, None]])
def test_values_that_agree_have_no_interval(values: np.ndarray):
    found = studentized_means(values, single(9))
    assert np.isnan(found.interval()).all() and np.isnan(found.p_values()).all()
    assert np.isnan(found.adjusted_p_values()).all()


def test_fewer_than_six_groups_have_no_interval():
    values = np.random.default_rng(0).random((10, 1))
    for groups, known in ((5, False), (6, True)):
        found = studentized_means(values, Resamples(np.arange(10) % groups, 100, 0))
        assert np.isfinite(found.interval()).all() == known


def test_nearly_equal_differences_are_not_tested():
    """One of 12 images differs: a third of the resamples hold none, and say nothing of the spread."""
    values = np.zeros((12, 2))
    values[0, 0] = 1
    values[:, 1] = np.random.default_rng(0).normal(1, 0.1, 12)
    found = studentized_means(values, single(12, 1000))
    assert np.isnan(found.p_values()[0]) and np.isnan(found.adjusted_p_values()[0])
    assert found.adjusted_p_values()[1] < 0.05  # the other is none the worse for it


def test_a_p_value_is_below_5_percent_where_the_interval_leaves_0_out():
    values = np.random.default_rng(0).normal(0.4, 1, (30, 200))
    found = studentized_means(values, single(30, 1000))
    low, high = found.interval()
    outside = (low > 0) | (high < 0)
    assert 0 < outside.sum() < 200
    p_values = found.p_values()
    assert (p_values[outside] < 0.06).all() and (p_values[~outside] > 0.045).all()  # 1,000 resamples: steps of 0.002
    assert (found.adjusted_p_values() >= p_values - 0.01).mean() > 0.99


def test_a_family_of_one_is_adjusted_for_nothing_and_more_make_it_harder():
    values = np.random.default_rng(4).normal(0.35, 1, (40, 50))
    found = studentized_means(values, single(40, 2000))
    alone = np.array([found.columns([column]).adjusted_p_values()[0] for column in range(50)])
    together = found.adjusted_p_values()
    assert (together >= alone).all() and (together > alone).mean() > 0.9
    assert np.corrcoef(alone, found.p_values())[0, 1] > 0.99


@pytest.mark.parametrize(("kind", "images"), [("normal", 12), ("skewed", 12), ("skewed", 60)])
def test_intervals_hold_the_truth_as_often_as_they_say(kind: str, images: int):
    """400 made-up columns with a mean of 0; benchmarks/coverage.py has the large tables."""
    generator = np.random.default_rng(5)
    columns = (images, 400)
    values = generator.normal(size=columns) if kind == "normal" else generator.exponential(size=columns) - 1
    low, high = studentized_means(values, single(images, 1000)).interval()
    assert 0.92 <= ((low <= 0) & (high >= 0)).mean() <= 0.98


def test_intervals_of_patients_hold_the_truth():
    """20 patients of 5 images, correlated by 0.8: taken as 100 independent images, 64% of the intervals would."""
    generator = np.random.default_rng(6)
    of_patient, own = generator.normal(size=(20, 1, 400)), generator.normal(size=(20, 5, 400))
    values = (np.sqrt(0.8) * of_patient + np.sqrt(0.2) * own).reshape(100, 400)
    low, high = studentized_means(values, Resamples(np.arange(100) // 5, 1000, 0)).interval()
    assert ((low <= 0) & (high >= 0)).mean() >= 0.92
    low, high = studentized_means(values, single(100, 1000)).interval()
    assert ((low <= 0) & (high >= 0)).mean() < 0.75
