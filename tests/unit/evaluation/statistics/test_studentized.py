"""The studentised bootstrap against a naive one, and its p-values, alone and as a family."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distxml.evaluation.statistics import resamples as drawing
from distxml.evaluation.statistics.group_sums import GroupSums
from distxml.evaluation.statistics.groups import Groups
from distxml.evaluation.statistics.intervals import means
from distxml.evaluation.statistics.resamples import Resamples
from distxml.evaluation.statistics.studentized import Studentized, studentized
from tests.oracles import intervals as oracle

DRAWS = 201


def single(images: int, draws: int = DRAWS, seed: int = 0) -> Resamples:
    """Each image a group by itself."""
    return Resamples(Groups(np.arange(images)), draws, seed)


def means_of(values: np.ndarray, resamples: Resamples) -> Studentized:
    return studentized(GroupSums.of_means(values, resamples.groups), resamples)


def counts_of(resamples: Resamples) -> np.ndarray:
    return np.concatenate(list(resamples.counts()))


def grouped(resamples: Resamples, numerators: np.ndarray, denominators: np.ndarray) -> Sequence[oracle.Group]:
    """One column as the oracle takes it."""
    groups: list[list[tuple[float, float]]] = [[] for _ in range(resamples.groups.count)]
    for group, pair in zip(
        resamples.groups.number, zip(numerators.tolist(), denominators.tolist(), strict=True), strict=True
    ):
        groups[group].append(pair)
    return groups


def test_every_resample_holds_as_many_groups_as_there_are(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(drawing, "CELLS_AT_ONCE", 1000)
    resamples = Resamples(Groups(np.arange(60) // 2), 250, 0)
    counts = counts_of(resamples)
    assert counts.shape == (250, 30)
    assert (counts.sum(1) == 30).all()
    of_images = np.concatenate(list(resamples.image_counts()))
    assert (of_images == counts[:, resamples.groups.number]).all()
    whole = means_of(np.random.default_rng(0).random((60, 2)), resamples)
    monkeypatch.setattr(drawing, "MAX_CELLS_KEPT", 0)  # drawn anew each time
    again = means_of(np.random.default_rng(0).random((60, 2)), Resamples(resamples.groups, 250, 0))
    assert (whole.samples == again.samples).all()


def test_every_group_is_drawn_as_often_as_any_other():
    counts = counts_of(Resamples(Groups(np.arange(5)), 40_000, 3))
    assert counts.mean(0) == pytest.approx(np.ones(5), abs=0.02)
    assert counts.var(0) == pytest.approx(np.full(5, 0.8), abs=0.02)  # binomial: 5 draws, 1/5 each


@given(st.integers(0, 2**32), st.sampled_from([None, 2, 3]))
@settings(max_examples=12)
def test_it_is_the_naive_one(seed: int, size: int | None):
    generator = np.random.default_rng(seed)
    images = 24
    group = np.arange(images) if size is None else generator.permutation(np.arange(images) // size)
    resamples = Resamples(Groups(group), DRAWS, seed)
    values = np.round(generator.random((images, 3)), 1)
    present = (generator.random((images, 3)) < 0.7).astype(float)
    present[0] = 1
    for found, below in (
        (means_of(values, resamples), np.ones_like(values)),
        (studentized(GroupSums.of(values * present, present, resamples.groups), resamples), present),
    ):
        above = values * below
        for column in range(3):
            groups = grouped(resamples, above[:, column], below[:, column])
            assert found.estimate[column] == pytest.approx(oracle.ratio(groups))
            if not np.isnan(found.t()[column]):
                assert found.p_values()[column] == pytest.approx(oracle.p_value(counts_of(resamples), groups))


@pytest.mark.parametrize("values", [np.full((9, 1), 0.0199), 0.5 + 1e-12 * np.arange(9)[:, None]])
def test_values_that_agree_are_not_tested(values: np.ndarray):
    found = means_of(values, single(9))
    assert np.isnan(found.p_values()).all() and np.isnan(found.adjusted_p_values()).all()


def test_nearly_equal_differences_are_not_tested():
    """One of 12 images differs: a third of the resamples hold none, and say nothing of the spread."""
    values = np.zeros((12, 2))
    values[0, 0] = 1
    values[:, 1] = np.random.default_rng(0).normal(1, 0.1, 12)
    found = means_of(values, single(12, 1000))
    assert np.isnan(found.p_values()[0]) and np.isnan(found.adjusted_p_values()[0])
    assert found.adjusted_p_values()[1] < 0.05  # the other is none the worse for it


def test_a_p_value_is_below_5_percent_where_the_interval_leaves_0_out():
    values = np.random.default_rng(0).normal(0.4, 1, (30, 200))
    found, interval = means_of(values, single(30, 1000)), means(values, Groups(np.arange(30)))
    outside = (interval.low > 0) | (interval.high < 0)
    assert 0.3 < outside.mean() < 0.8
    assert ((found.p_values() < 0.05) == outside).mean() > 0.95
    assert (found.adjusted_p_values() >= found.p_values() - 0.01).mean() > 0.99


def test_a_family_of_one_is_adjusted_for_nothing_and_more_make_it_harder():
    values = np.random.default_rng(4).normal(0.35, 1, (40, 50))
    found = means_of(values, single(40, 2000))
    alone = np.array([found.columns([column]).adjusted_p_values()[0] for column in range(50)])
    together = found.adjusted_p_values()
    assert (together >= alone).all() and (together > alone).mean() > 0.9
    assert np.corrcoef(alone, found.p_values())[0, 1] > 0.99
