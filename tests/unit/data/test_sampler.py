"""Every row once per epoch for any number of ranks, the same batches for all of them, memory within its bound."""

import itertools

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from distxml.data.sampler import (
    EpochRows,
    Rank,
    Shuffle,
    evaluation_rows,
    max_rows_held,
    max_rows_held_evaluating,
    number_of_steps,
    training_rows,
)
from tests.oracles.sampling import max_rows_held_at_once, whole_batches

GROUPS = st.lists(st.integers(1, 9), min_size=1, max_size=30)
SHUFFLES = st.builds(Shuffle, batch_size=st.integers(1, 40), buffer=st.integers(1, 150), seed=st.integers(0, 5))
RANKS = st.integers(1, 8)


def rows_of(epoch_rows: EpochRows) -> list[list[int]]:
    return [step.tolist() for step in epoch_rows.steps]


def training(groups: list[int], shuffle: Shuffle, epoch: int, ranks: int) -> list[list[list[int]]]:
    return [rows_of(training_rows(groups, shuffle, epoch, Rank(rank, ranks))) for rank in range(ranks)]


@given(groups=GROUPS, shuffle=SHUFFLES, epoch=st.integers(0, 3), ranks=RANKS)
def test_training_deals_every_row_once_in_equal_steps(
    groups: list[int], shuffle: Shuffle, epoch: int, ranks: int
) -> None:
    parts = training(groups, shuffle, epoch, ranks)
    assert {len(part) for part in parts} == {number_of_steps(sum(groups), shuffle.batch_size)}
    batches = whole_batches(parts)
    assert sorted(row for batch in batches for row in batch) == list(range(sum(groups)))
    sizes = [len(batch) for batch in batches]
    assert max(sizes) <= shuffle.batch_size and max(sizes) - min(sizes) <= 1


@given(groups=GROUPS, shuffle=SHUFFLES, ranks=RANKS)
def test_global_batches_do_not_depend_on_the_number_of_ranks(groups: list[int], shuffle: Shuffle, ranks: int) -> None:
    assert whole_batches(training(groups, shuffle, 2, ranks)) == whole_batches(training(groups, shuffle, 2, 1))


@given(groups=GROUPS, shuffle=SHUFFLES, ranks=RANKS)
def test_a_rank_is_short_of_rows_only_where_ranks_outnumber_the_smallest_batch(
    groups: list[int], shuffle: Shuffle, ranks: int
) -> None:
    parts = training(groups, shuffle, 0, ranks)
    shares = [len(step) for part in parts for step in part]
    smallest = min(len(batch) for batch in whole_batches(parts))
    assert max(shares) - min(shares) <= 2
    assert min(shares) > 0 or ranks > smallest


@given(rows=st.integers(0, 200), batch_size=st.integers(1, 64), ranks=RANKS)
def test_evaluation_deals_every_row_once_in_reading_order(rows: int, batch_size: int, ranks: int) -> None:
    parts = [rows_of(evaluation_rows(rows, batch_size, Rank(rank, ranks))) for rank in range(ranks)]
    assert {len(part) for part in parts} == {number_of_steps(rows, batch_size)}
    assert [row for part in parts for step in part for row in step] == list(range(rows))
    assert all(len(step) <= -(-batch_size // ranks) + 1 for part in parts for step in part)


@settings(deadline=None)
@given(groups=GROUPS, shuffle=SHUFFLES, ranks=RANKS)
def test_the_stated_bound_of_rows_in_memory_holds(groups: list[int], shuffle: Shuffle, ranks: int) -> None:
    bound = max_rows_held(groups, shuffle, ranks)
    for part in training(groups, shuffle, 1, ranks):
        assert max_rows_held_at_once(groups, part) <= bound


@settings(deadline=None, max_examples=25)
@given(
    group=st.integers(16, 32),
    groups=st.integers(40, 100),
    shuffle=st.builds(Shuffle, batch_size=st.integers(1, 20), buffer=st.integers(1, 250), seed=st.integers(0, 300)),
    ranks=st.integers(1, 3),
)
@example(group=32, groups=89, shuffle=Shuffle(batch_size=18, buffer=124, seed=234), ranks=3)
@example(group=32, groups=98, shuffle=Shuffle(batch_size=11, buffer=117, seed=120), ranks=2)
def test_the_bound_holds_for_groups_that_two_lanes_share(group: int, groups: int, shuffle: Shuffle, ranks: int) -> None:
    bound = max_rows_held([group] * groups, shuffle, ranks)
    for part in training([group] * groups, shuffle, 0, ranks):
        assert max_rows_held_at_once([group] * groups, part) <= bound


@settings(deadline=None)
@given(groups=GROUPS, buffer=st.integers(1, 150), batch_size=st.integers(1, 40), ranks=RANKS)
def test_the_bound_of_evaluation_holds(groups: list[int], buffer: int, batch_size: int, ranks: int) -> None:
    bound = max_rows_held_evaluating(groups, buffer, ranks)
    group_of = np.repeat(np.arange(len(groups)), groups)
    for rank in range(ranks):
        steps = rows_of(evaluation_rows(sum(groups), batch_size, Rank(rank, ranks)))
        read = {int(group_of[row]) for step in steps for row in step}
        fits = sum(groups) <= buffer
        assert (sum(groups[number] for number in read) if fits else max_rows_held_at_once(groups, steps)) <= bound


def test_the_bound_does_not_grow_with_the_dataset() -> None:
    shuffle = Shuffle(batch_size=16, buffer=2048, seed=0)
    small, large = (max_rows_held([16] * groups, shuffle, ranks=2) for groups in (1_000, 100_000))
    assert small == large == 8 * (2048 // 16 + 3 * 16)


def test_epochs_and_seeds_differ() -> None:
    orders = [
        np.concatenate(training_rows([16] * 20, Shuffle(8, buffer, seed), epoch, Rank()).steps).tolist()
        for buffer in (64, 1000)
        for seed, epoch in ((0, 0), (0, 1), (1, 0))
    ]
    assert all(one != other for number, one in enumerate(orders) for other in orders[:number])


@pytest.mark.parametrize("buffer", [64, 1000])
def test_rows_that_lie_together_are_spread_over_the_batches(buffer: int) -> None:
    """Of the 8 rows of a batch, chance alone would put 8 * 7/319 * 15/2 pairs of one group of 16 together."""
    steps = training_rows([16] * 20, Shuffle(8, buffer, 0), 0, Rank()).steps
    same = sum(len(step) - len({int(row) // 16 for row in step}) for step in steps)
    assert same <= 2 * len(steps)
    neighbours = sum(int(later) == int(row) + 1 for step in steps for row, later in itertools.pairwise(step))
    assert neighbours <= 0.1 * 320
