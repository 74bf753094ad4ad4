"""Draws of images: seeded, fair to every class or group, the same in whatever order the images come."""

import random
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from distxml.data.subsets import (
    Candidate,
    balanced_sample,
    choose,
    in_turn,
    largest_remainder,
    stratified_sample,
)

candidates = st.lists(
    st.builds(
        Candidate,
        key=st.text(min_size=1, max_size=4),
        label=st.integers(0, 3),
        predicted=st.none() | st.integers(0, 3),
    ),
    unique_by=lambda candidate: candidate.key,
    max_size=40,
)


@given(candidates=candidates, seed=st.integers(0, 9))
def test_order_of_the_candidates_does_not_matter(candidates: list[Candidate], seed: int):
    shuffled = random.Random(0).sample(candidates, len(candidates))
    assert choose(candidates, 2, 6, seed) == choose(shuffled, 2, 6, seed)


@given(candidates=candidates, per_group=st.integers(1, 4), most=st.integers(0, 12), seed=st.integers(0, 9))
def test_every_group_has_its_share(candidates: list[Candidate], per_group: int, most: int, seed: int):
    choice = choose(candidates, per_group, most, seed)
    sizes = {group: sum(one.group == group for one in candidates) for group in (one.group for one in candidates)}
    shown = {group: sum(one.group == group for one in choice.chosen) for group in sizes}
    assert choice.group_sizes == sizes
    assert len(set(choice.chosen)) == len(choice.chosen) and set(choice.chosen) <= set(candidates)
    assert len(choice.chosen) == min(most, sum(min(per_group, size) for size in sizes.values()))
    for group, count in shown.items():
        full = min(per_group, sizes[group])
        assert count <= full
        # a group that is not full is never more than one image behind another
        assert count == full or all(other <= count + 1 for other in shown.values())


def test_another_seed_draws_others():
    many = [Candidate(f"image-{index}", 0, 0) for index in range(100)]
    assert choose(many, 4, 24, 0).chosen != choose(many, 4, 24, 1).chosen


def test_right_ones_come_before_wrong_ones():
    mixed = [Candidate("a", 1, 0), Candidate("b", 0, 1), Candidate("c", 1, 1), Candidate("d", 0, 0)]
    assert [one.key for one in choose(mixed, 4, 24, 0).chosen] == ["d", "b", "c", "a"]


def test_in_turn_takes_the_first_of_each_before_any_second():
    assert [*in_turn(["abc", "", "d", "ef"])] == ["a", "d", "e", "b", "f", "c"]
    assert [*in_turn([[None, 1], [None]])] == [None, None, 1]


@given(
    total=st.integers(0, 500),
    weights=st.lists(st.integers(0, 50), min_size=1, max_size=6).filter(any),
)
def test_largest_remainders_add_up_and_are_near_their_quotas(total: int, weights: list[int]):
    quotas = [Fraction(total * weight, sum(weights)) for weight in weights]
    counts = largest_remainder(total, quotas)
    assert sum(counts) == total
    assert all(abs(count - quota) < 1 for count, quota in zip(counts, quotas, strict=True))


def test_of_equal_remainders_the_first_is_rounded_up():
    assert largest_remainder(4, [Fraction(4, 3)] * 3) == [2, 1, 1]


@given(labels=st.lists(st.integers(0, 3), min_size=1, max_size=40), images=st.integers(0, 50))
def test_a_balanced_sample_has_as_many_of_each_class_as_it_can(labels: list[int], images: int):
    for seed in (None, 0):
        chosen = balanced_sample(labels, images, seed)
        assert len(set(chosen)) == len(chosen) == min(images, len(labels))
        counts = {label: sum(labels[row] == label for row in chosen) for label in labels}
        for label, count in counts.items():
            assert count == labels.count(label) or all(other <= count + 1 for other in counts.values())
    of_first_class = [row for row in balanced_sample(labels, images) if labels[row] == min(labels)]
    assert of_first_class == sorted(of_first_class)  # without a seed the first rows of each class


@given(labels=st.lists(st.integers(0, 3), min_size=1, max_size=40), images=st.integers(0, 50), seed=st.integers(0, 9))
def test_a_stratified_sample_keeps_the_shares_of_the_classes(labels: list[int], images: int, seed: int):
    label_of_key = {f"image-{row}": label for row, label in enumerate(labels)}
    chosen = stratified_sample(label_of_key, images, seed)
    assert len(set(chosen)) == len(chosen) == min(images, len(labels))
    for label in set(labels):
        quota = min(1, images / len(labels)) * labels.count(label)
        assert abs(sum(label_of_key[key] == label for key in chosen) - quota) < 1
    backwards = dict(reversed(label_of_key.items()))
    assert set(stratified_sample(backwards, images, seed)) == set(chosen)
    assert set(stratified_sample(label_of_key, None, seed)) == set(label_of_key)
