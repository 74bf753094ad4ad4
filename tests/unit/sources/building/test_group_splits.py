from collections import Counter
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from distxml.config.dataset import SplitSettings
from distxml.config.images import ImageRules
from distxml.data.schema import SPLITS, Split
from distxml.errors import UserError
from distxml.sources.building.splits import divide
from distxml.sources.material import SourceRow

SHARES = SplitSettings()
TRAIN_AND_TEST: tuple[tuple[Split, int], ...] = (("train", 100), ("test", 30))
HALVES = SplitSettings(train=0.5, val=0.25, test=0.25)


@dataclass(frozen=True)
class Listed:
    """An item as far as splits go."""

    key: str
    label: int
    group: str | None = None
    split: Split | None = None

    @property
    def name(self) -> str:
        return self.key

    def row(self, rules: ImageRules) -> SourceRow:
        raise AssertionError("no image may be read for the splits")


def split_of(items: list[Listed], settings: SplitSettings = SHARES, seed: int = 0) -> dict[str, Split]:
    classes = [f"class{label}" for label in range(max(item.label for item in items) + 1)]
    divided = divide(items, classes, settings, seed)
    assert sorted(index for split in SPLITS for index in divided[split]) == list(range(len(items)))
    return {items[index].key: split for split in SPLITS for index in divided[split]}


def patients(sizes: list[int], label: int = 0, prefix: str = "p") -> list[Listed]:
    return [
        Listed(f"{prefix}{label}-{number}-{image}", label, f"{prefix}{label}-{number}")
        for number, size in enumerate(sizes)
        for image in range(size)
    ]


@st.composite
def mixed_groups(draw: st.DrawFn) -> list[Listed]:
    """Groups with images of several classes, and images on their own; enough of each class."""
    items = patients([1] * 4, 0) + patients([1] * 4, 1)
    for number, labels in enumerate(draw(st.lists(st.lists(st.integers(0, 1), min_size=1, max_size=9), max_size=15))):
        items += [Listed(f"g{number}-{image}", label, f"g{number}") for image, label in enumerate(labels)]
    items += [Listed(f"alone{number}", number % 2) for number in range(draw(st.integers(0, 10)))]
    return items


@given(items=mixed_groups(), seed=st.integers(0, 2**40), order=st.randoms(use_true_random=False))
def test_groups_never_cross_splits_and_the_order_of_items_decides_nothing(items, seed, order) -> None:
    chosen = split_of(items, seed=seed)
    splits_of_group: dict[str, set[Split]] = {}
    for item in items:
        if item.group is not None:
            splits_of_group.setdefault(item.group, set()).add(chosen[item.key])
    assert all(len(splits) == 1 for splits in splits_of_group.values())
    assert {(item.label, chosen[item.key]) for item in items} == {(label, s) for label in (0, 1) for s in SPLITS}
    shuffled = list(items)
    order.shuffle(shuffled)
    assert split_of(shuffled, seed=seed) == chosen


@given(sizes=st.lists(st.lists(st.integers(1, 12), min_size=3, max_size=40), min_size=1, max_size=3))
def test_sizes_are_within_two_groups_of_the_shares(sizes: list[list[int]]) -> None:
    """For groups of one class each. Where no class was missing, a split exceeds its share by less than one group."""
    items = [item for label, of_class in enumerate(sizes) for item in patients(of_class, label)]
    chosen = split_of(items)
    for label, of_class in enumerate(sizes):
        counts = Counter(chosen[item.key] for item in items if item.label == label)
        largest, total = max(of_class), sum(of_class)
        for split in SPLITS:
            share = getattr(SHARES, split) * total
            assert counts[split] >= 1
            assert share - 3 * largest < counts[split] < share + 2 * largest
            if min(getattr(SHARES, other) for other in SPLITS) * total > 2 * largest:
                assert share - 2 * largest < counts[split] < share + largest


def test_equal_groups_come_out_as_images_do() -> None:
    chosen = split_of(patients([5] * 100))
    assert Counter(chosen.values()) == {"train": 340, "val": 85, "test": 75}


def test_the_seed_decides_who_goes_where() -> None:
    items = patients([2] * 50) + patients([3] * 50, 1)
    assert split_of(items, seed=0) == split_of(items, seed=0)
    assert split_of(items, seed=0) != split_of(items, seed=1)


def test_a_group_larger_than_any_split_leaves_one_group_to_each_of_the_others() -> None:
    chosen = split_of(patients([1000, 1, 1]))
    assert chosen["p0-0-0"] == "train"
    assert {chosen["p0-1-0"], chosen["p0-2-0"]} == {"val", "test"}


def test_a_rare_class_is_in_every_split_if_it_can_be() -> None:
    items = patients([4] * 60) + patients([1, 1, 1], 1, "rare")
    chosen = split_of(items)
    assert {chosen[item.key] for item in items if item.label == 1} == set(SPLITS)


def test_too_few_groups_of_a_class_are_named() -> None:
    items = patients([5] * 20) + patients([30, 30], 1)
    with pytest.raises(UserError, match=r"class 'class1': 60 usable image\(s\) in 2 group\(s\)"):
        split_of(items)


def test_a_group_and_an_image_of_one_name_are_different_things() -> None:
    items = [Listed(f"x{number}", 0) for number in range(10)] + [Listed(f"y{n}", 0, "x0") for n in range(3)]
    chosen = split_of(items)
    assert len({chosen[f"y{number}"] for number in range(3)}) == 1


@given(items=mixed_groups(), seed=st.integers(0, 100))
def test_fixed_splits_stay_and_take_their_groups_along(items: list[Listed], seed: int) -> None:
    fixed: dict[str, Split] = {"g0": "test", "g1": "train", "p0-0": "val"}
    first = {item.group: item.key for item in reversed(items)}
    items = [
        Listed(item.key, item.label, item.group, fixed.get(str(item.group)) if first[item.group] == item.key else None)
        for item in items
    ]
    chosen = split_of(items, seed=seed)
    for item in items:
        if item.group in fixed:
            assert chosen[item.key] == fixed[item.group]


def test_val_is_taken_from_train_where_the_source_fixes_train_and_test() -> None:
    items = [
        Listed(f"{split}{label}-{number}", label, split=split)
        for split, count in TRAIN_AND_TEST
        for label in (0, 1)
        for number in range(count)
    ]
    chosen = split_of(items)
    assert all(chosen[item.key] == "test" for item in items if item.split == "test")
    for label in (0, 1):
        counts = Counter(chosen[item.key] for item in items if item.label == label)
        assert counts == {"train": 80, "val": 20, "test": 30}  # 0.17 / (0.68 + 0.17) = 0.2


def test_val_is_taken_from_train_by_whole_groups() -> None:
    items = [Listed(item.key, item.label, item.group, "train") for item in patients([3] * 20)]
    items += [Listed(f"t{number}", 0, split="test") for number in range(5)]
    chosen = split_of(items)
    assert Counter(chosen.values()) == {"train": 48, "val": 12, "test": 5}
    assert all(len({chosen[f"p0-{number}-{image}"] for image in range(3)}) == 1 for number in range(20))


def test_published_splits_that_name_all_three_are_kept_as_they_are() -> None:
    wanted: dict[str, Split] = {f"{split}{n}": split for n in range(5) for split in SPLITS if split != "train" or n < 3}
    assert split_of([Listed(key, 0, split=split) for key, split in wanted.items()]) == wanted


def test_contradictions_and_holes_in_fixed_splits_are_refused() -> None:
    with pytest.raises(UserError, match="group 'anna': its images are fixed to train and to test"):
        split_of([Listed("a", 0, "anna", "train"), Listed("b", 0, "anna", "test")])
    with pytest.raises(UserError, match=r"class 'class0': 10 usable image\(s\).* none that may be in test"):
        split_of([Listed(f"a{number}", 0, split="train") for number in range(10)])


def test_the_order_of_rows_mixes_the_classes() -> None:
    items = patients([1] * 300) + patients([1] * 300, 1)
    divided = divide(items, ["a", "b"], HALVES, 0)
    first = np.array([items[index].label for index in divided["train"][:100]])
    assert 30 < first.sum() < 70
