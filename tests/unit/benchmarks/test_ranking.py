"""`benchmarks/ranking.py` draws samples that share no image, and compares rankings."""

import pytest

from tests.unit.benchmarks.test_train import benchmark


def test_two_samples_share_no_image_and_have_the_classes_in_turn() -> None:
    labels = [row % 2 for row in range(60)]
    for seed in range(5):
        one, other = benchmark("ranking").two_samples(labels, 16, seed)
        assert len({*one, *other}) == 32
        assert all([labels[row] for row in rows].count(0) == 8 for rows in (one, other))


def test_agreement_is_of_the_order_alone() -> None:
    before = [{"a": 0.1, "b": 1, "c": 5}, {"a": 0.2, "b": 2, "c": 5}, {"a": 0.3, "b": 3, "c": 5}]
    after = [{"a": 1, "b": 3, "c": 1}, {"a": 20, "b": 2, "c": 2}, {"a": 300, "b": 1, "c": 3}]
    assert benchmark("ranking").agreement(before, after) == pytest.approx({"a": 1, "b": -1, "c": 0})
