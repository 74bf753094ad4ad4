import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import train_test_split

from distxml.config.dataset import SplitSettings
from distxml.data.schema import SPLITS
from distxml.errors import UserError
from distxml.sources.building.splits import split_indices, split_sizes

SHARES = [0.68, 0.17, 0.15]


@st.composite
def split_settings(draw: st.DrawFn) -> SplitSettings:
    train, val, test = (draw(st.integers(1, 100)) for _ in range(3))
    total = train + val + test
    return SplitSettings(train=train / total, val=val / total, test=test / total)


@given(
    sizes=st.lists(st.integers(3, 60), min_size=1, max_size=5), settings=split_settings(), seed=st.integers(0, 2**40)
)
def test_every_image_once_and_each_class_by_its_shares(sizes: list[int], settings: SplitSettings, seed: int) -> None:
    classes = [f"class{number}" for number in range(len(sizes))]
    labels = np.random.default_rng(0).permutation(np.repeat(range(len(sizes)), sizes)).tolist()
    divided = split_indices(labels, classes, settings, seed)

    assert sorted(index for split in SPLITS for index in divided[split]) == list(range(len(labels)))
    for label, size in enumerate(sizes):
        counts = {split: sum(labels[index] == label for index in divided[split]) for split in SPLITS}
        assert min(counts.values()) >= 1
        shares = {split: getattr(settings, split) * size for split in SPLITS}
        if min(shares.values()) >= 1:
            assert all(abs(counts[split] - shares[split]) < 1 for split in SPLITS)
    again = split_indices(labels, classes, settings, seed)
    assert all(np.array_equal(divided[split], again[split]) for split in SPLITS)


def test_the_seed_decides_who_goes_where() -> None:
    labels = [0, 1] * 50
    one, two = (split_indices(labels, ["a", "b"], SplitSettings(), seed) for seed in (0, 1))
    assert set(one["test"]) != set(two["test"])
    assert {split: len(one[split]) for split in SPLITS} == {split: len(two[split]) for split in SPLITS}


def test_every_split_mixes_the_classes() -> None:
    divided = split_indices([0] * 500 + [1] * 500, ["a", "b"], SplitSettings(), seed=0)
    first_of_train = divided["train"][:100] < 500
    assert 30 < first_of_train.sum() < 70


def test_counts_agree_with_scikit_learn() -> None:
    """The paper's 85/15, then 80/20; 324 horses and 345 zebras."""
    labels = np.array([0] * 324 + [1] * 345)
    rest, test = train_test_split(labels, test_size=0.15, stratify=labels, random_state=0)
    train, val = train_test_split(rest, test_size=0.2, stratify=rest, random_state=0)
    divided = split_indices(labels.tolist(), ["horse", "zebra"], SplitSettings(), seed=0)
    for expected, split in zip((train, val, test), SPLITS, strict=True):
        counts = np.bincount(labels[divided[split]])
        assert np.abs(counts - np.bincount(expected)).max() <= 1


@pytest.mark.parametrize(
    ("total", "expected"), [(100, [68, 17, 15]), (3, [1, 1, 1]), (4, [2, 1, 1]), (10, [7, 2, 1]), (364, [247, 62, 55])]
)
def test_split_sizes(total: int, expected: list[int]) -> None:
    assert split_sizes(total, SHARES) == expected


def test_a_class_too_small_for_three_splits_is_named() -> None:
    with pytest.raises(UserError, match=r"class 'rare': 2 usable image"):
        split_indices([0] * 10 + [1] * 2, ["common", "rare"], SplitSettings(), seed=0)
