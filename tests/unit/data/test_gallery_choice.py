"""The draw of the gallery: seeded, fair to every group, deaf to the order of the candidates."""

import random

from hypothesis import given
from hypothesis import strategies as st

from distxml.data.subsets import Candidate, choose

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


def _group(candidate: Candidate) -> tuple[int, bool | None]:
    return candidate.label, None if candidate.predicted is None else candidate.predicted == candidate.label


@given(candidates=candidates, seed=st.integers(0, 9))
def test_order_of_the_candidates_does_not_matter(candidates: list[Candidate], seed: int):
    shuffled = random.Random(0).sample(candidates, len(candidates))
    assert choose(candidates, 2, 6, seed) == choose(shuffled, 2, 6, seed)


@given(candidates=candidates, per_group=st.integers(1, 4), most=st.integers(0, 12), seed=st.integers(0, 9))
def test_every_group_has_its_share(candidates: list[Candidate], per_group: int, most: int, seed: int):
    choice = choose(candidates, per_group, most, seed)
    sizes = {group: sum(_group(one) == group for one in candidates) for group in map(_group, candidates)}
    shown = {group: sum(_group(one) == group for one in choice.chosen) for group in sizes}
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
