"""Means over several runs: the parts of their variance, their intervals, and what they hold."""

import numpy as np
import pytest
import statsmodels.api
from numpy.typing import NDArray
from statsmodels.stats.multitest import multipletests

from distxml.evaluation.statistics.crossed import CrossedEstimates, crossed, holm
from distxml.evaluation.statistics.group_sums import GroupSums
from distxml.evaluation.statistics.groups import Groups
from distxml.evaluation.statistics.over_runs import primary_p_value, shares_over_runs
from distxml.evaluation.statistics.proportions import share_interval
from distxml.evaluation.statistics.resamples import Resamples
from tests.oracles.crossed import half_width, interval, mean_of_run

Values = NDArray[np.float64]


def groups_of(sizes: list[int]) -> Groups:
    return Groups(np.repeat(np.arange(len(sizes)), sizes), named=True)


def over(runs: Values, groups: Groups) -> CrossedEstimates:
    """Of R×n×K values."""
    return crossed([GroupSums.of_means(run, groups) for run in runs])


def drawn(seed: int, sizes: list[int], runs: int, of_runs: float, of_groups: float = 1.0) -> Values:
    """R×n×1."""
    generator, groups = np.random.default_rng(seed), groups_of(sizes)
    run, group, both = (generator.normal(size=shape) for shape in ((runs, 1), len(sizes), (runs, len(sizes))))
    values = of_runs * run + of_groups * group[groups.number] + 0.3 * both[:, groups.number]
    return (values + 0.5 * generator.normal(size=(runs, groups.images)))[:, :, None]


@pytest.mark.parametrize("of_runs", [0.0, 0.2, 2.0])
@pytest.mark.parametrize("sizes", [[3] * 10, [1, 2, 1, 9, 3, 2, 5, 2, 4, 1, 6, 2]])
def test_mean_interval_and_p_value_are_those_of_a_naive_reckoning(sizes: list[int], of_runs: float):
    runs, groups = drawn(3, sizes, 4, of_runs) + 0.5, groups_of(sizes)
    found = over(runs, groups)
    naive = [[run[groups.number == group, 0].tolist() for group in range(len(sizes))] for run in runs]
    assert found.of_runs[:, 0] == pytest.approx([mean_of_run(run) for run in naive])
    assert found.value[0] == pytest.approx(np.mean([mean_of_run(run) for run in naive]))
    assert found.spread[0] == pytest.approx(np.std([mean_of_run(run) for run in naive], ddof=1))
    assert half_width(naive, float(found.p[0])) == pytest.approx(abs(found.value[0]), rel=1e-4)
    assert [found.low[0], found.high[0]] == pytest.approx(interval(naive), rel=1e-4)


def test_parts_of_the_variance_are_those_of_a_mixed_model():
    """With one image per group, as many runs and groups as make the components certain."""
    runs, groups, count = 40, Groups(np.arange(60)), 60
    values = drawn(1, [1] * count, runs, of_runs=0.7)
    found = over(values, groups)
    long = values[:, :, 0].ravel()
    run, group = np.repeat(np.arange(runs), count), np.tile(np.arange(count), runs)
    model = statsmodels.api.MixedLM(
        long,
        np.ones((len(long), 1)),
        groups=np.ones(len(long)),
        exog_vc={"run": {1: np.eye(runs)[run]}, "group": {1: np.eye(count)[group]}},
    ).fit()
    by_group, by_run = sorted(model.vcomp, reverse=True)
    expected = by_run / runs + by_group / count + model.scale / (runs * count)
    half = (found.high[0] - found.low[0]) / 2
    assert half == pytest.approx(2 * np.sqrt(expected), rel=0.08)


def test_what_a_run_makes_of_a_group_counts_once():
    """Runs and groups that have no part of their own: as wide as all values by themselves, not as twice as many."""
    runs, groups, studies = 10, Groups(np.arange(40)), 300
    values = np.random.default_rng(0).normal(size=(runs, 40, studies))
    found = over(values, groups)
    assert np.median(found.high - found.low) / 2 == pytest.approx(2 / np.sqrt(runs * 40), rel=0.2)
    assert 0.93 < ((found.low <= 0) & (found.high >= 0)).mean() < 0.995


@pytest.mark.parametrize("of_runs", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("runs", [3, 5])
def test_intervals_hold_the_truth_of_new_runs_and_new_patients(runs: int, of_runs: float):
    studies, sizes = 400, [2, 1, 4, 3, 1, 2, 6, 2, 3, 1, 2, 4] * 2
    generator, groups = np.random.default_rng(0), groups_of(sizes)
    group, both = (generator.normal(size=(count, len(sizes), studies)) for count in (1, runs))
    values = of_runs * generator.normal(size=(runs, 1, studies)) + (group + 0.3 * both)[:, groups.number]
    found = over(values, groups)
    assert ((found.low <= 0) & (found.high >= 0)).mean() >= 0.93
    assert (found.p < 0.05).mean() <= 0.065


def test_a_mean_varies_with_the_runs_however_many_patients_there_are():
    values = np.zeros((3, 1000, 1)) + np.array([0.2, 0.3, 0.4])[:, None, None]
    values += 1e-3 * np.random.default_rng(0).normal(size=(1, 1000, 1))
    found = over(values, Groups(np.arange(1000)))
    half = 4.3027 * 0.1 / np.sqrt(3)  # Student's t with two degrees of freedom
    assert [found.low[0], found.high[0]] == pytest.approx([0.3 - half, 0.3 + half], abs=1e-3)
    assert found.p[0] == pytest.approx(0.0351, abs=1e-3)


def test_equal_runs_are_as_certain_as_one():
    one = np.random.default_rng(0).exponential(size=(30, 1))
    groups = Groups(np.arange(30))
    found, single = over(np.stack([one] * 3), groups), crossed([GroupSums.of_means(one, groups)])
    assert found.spread[0] == pytest.approx(0, abs=1e-12)
    assert np.isnan(single.low[0]) and found.value[0] == pytest.approx(single.value[0])
    assert found.low[0] < one.mean() < found.high[0]


def test_two_runs_have_values_but_no_interval():
    found = over(drawn(0, [2] * 20, 2, 0.1), groups_of([2] * 20))
    assert np.isfinite([found.value[0], found.spread[0]]).all()
    assert np.isnan([found.low[0], found.high[0], found.p[0]]).all()


def test_a_run_without_the_figure_leaves_no_mean():
    values, groups = drawn(0, [1] * 12, 3, 0.1), Groups(np.arange(12))
    nothing = GroupSums.of(np.zeros((12, 1)), np.zeros((12, 1)), groups)
    found = crossed([*[GroupSums.of_means(run, groups) for run in values[:2]], nothing])
    assert np.isnan([found.value[0], found.low[0], found.high[0], found.p[0]]).all()
    assert np.isfinite(found.of_runs[:2, 0]).all()


def test_holm_is_statsmodels():
    p = np.random.default_rng(0).random(20) ** 4
    p[[3, 7]] = np.nan
    found = holm(p)
    assert np.isnan(found[[3, 7]]).all()
    known = ~np.isnan(p)
    assert found[known] == pytest.approx(multipletests(p[known], method="holm")[1])
    assert len(holm(np.empty(0))) == 0


def test_shares_have_an_interval_where_all_are_right_and_stay_below_1():
    groups = groups_of([2] * 15)
    right = np.ones((3, 30, 2))
    right[0, :3, 1] = 0
    low, high = shares_over_runs(right, groups, over(right, groups))
    assert (low[0], high[0]) == pytest.approx(share_interval(right[0, :, 0], groups.number))
    assert 0.4 < low[1] < 29 / 30 < high[1] <= 1
    assert np.isnan(shares_over_runs(right[:2], groups, over(right[:2], groups))[0]).all()


def test_the_primary_comparison_must_pass_every_test():
    groups = Groups(np.arange(8))
    resamples = Resamples(groups, 500, 0)
    clear = np.linspace(0.9, 1.1, 8)
    assert primary_p_value(0.2, clear, resamples) == pytest.approx(0.2)
    assert primary_p_value(1e-6, clear, resamples) == pytest.approx(2 / 2**8)  # the least that signs of 8 can say
    assert np.isnan(primary_p_value(np.nan, clear, resamples))
    assert np.isnan(primary_p_value(0.01, np.ones(8), resamples))
