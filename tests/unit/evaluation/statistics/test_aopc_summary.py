"""Two methods against each other: paired, and the same from either side."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from distxml.config.evaluation import Method, Order
from distxml.evaluation.statistics.aopc_summary import comparisons, overall_comparisons, pairs
from distxml.evaluation.statistics.image_aopc import ImageAopc
from distxml.evaluation.statistics.intervals import Bootstrap
from distxml.evaluation.summary import Comparison
from tests.oracles import bootstrap as bootstrap_oracle

ORDERS: tuple[Order, ...] = ("morf", "lerf")


def scores(own: np.ndarray, other: np.ndarray) -> ImageAopc:
    """Of in_model and of lrp, n×2 each, the same in both orders."""
    values: dict[tuple[Method, Order], np.ndarray] = {}
    for order in ORDERS:
        values |= {("in_model", order): own, ("lrp", order): other}
    return ImageAopc(((8, "black"), (8, "blur")), np.zeros(len(own), np.int64), values)


@given(st.integers(0, 2**32), st.integers(1, 9))
def test_the_other_side_sees_the_opposite(seed: int, images: int):
    own, other = np.random.default_rng(seed).integers(0, 3, (2, images, 2)) / 4
    bootstrap = Bootstrap(images, 100, 0)
    there, back = comparisons(scores(own, other), bootstrap), comparisons(scores(other, own), bootstrap)
    opposite = {"better": "worse", "worse": "better", "unclear": "unclear"}
    for one, turned in zip(there, back, strict=True):
        assert one.wins + turned.wins == pytest.approx(1)
        assert one.difference == -turned.difference
        assert (one.low, one.high) == pytest.approx((-turned.high, -turned.low))
        assert one.verdict == opposite[turned.verdict]


def test_rounding_is_no_difference():
    """f of the same x(k) differs by some 1e-8 with its place in a batch."""
    own = np.random.default_rng(3).random((9, 2))
    for row in comparisons(scores(own, own + 2e-8), Bootstrap(9, 100, 0)):
        assert (row.wins, row.verdict) == (0.5, "unclear")


@given(st.integers(0, 2**32), st.integers(1, 9))
def test_lerf_is_won_by_the_lower(seed: int, images: int):
    own, other = np.random.default_rng(seed).integers(0, 3, (2, images, 2)) / 4
    rows = comparisons(scores(own, other), Bootstrap(images, 100, 0))
    morf, lerf = ([row for row in rows if row.order == order] for order in ORDERS)
    for one, turned in zip(morf, lerf, strict=True):
        assert one.wins + turned.wins == pytest.approx(1)
        assert (one.difference, one.low, one.high) == (turned.difference, turned.low, turned.high)


def test_the_difference_is_paired_image_by_image():
    random = np.random.default_rng(1)
    level = random.random((15, 1))  # images differ far more than methods do: unpaired, the interval would be wide
    own, other = level + 0.02 * random.random((15, 2)), level + 0.02 * random.random((15, 2))
    bootstrap = Bootstrap(15, 201, 7)

    def difference(drawn: Sequence[int]) -> float:
        return float(sum(own[image].mean() - other[image].mean() for image in drawn) / len(drawn))

    counts = np.concatenate(list(bootstrap.counts()))
    row, _ = overall_comparisons(scores(own, other), bootstrap)
    assert row.difference == pytest.approx(difference(range(15)))
    assert (row.low, row.high) == pytest.approx(bootstrap_oracle.interval(counts, difference))
    assert row.high - row.low < 0.02


@pytest.mark.parametrize(
    ("methods", "expected"),
    [
        ((), []),
        (("random",), []),
        (("in_model",), []),
        (("lrp", "canny"), []),
        (("random", "in_model"), [("in_model", "random")]),
        (
            ("lrp", "random", "in_model"),
            [("lrp", "random"), ("in_model", "random"), ("in_model", "lrp")],
        ),
    ],
)
def test_who_is_compared(methods: tuple[Method, ...], expected: list[tuple[Method, Method]]):
    assert pairs(methods) == expected


@pytest.mark.parametrize(
    ("order", "low", "high", "images", "verdict"),
    [
        ("morf", 0.1, 0.2, 6, "better"),
        ("lerf", 0.1, 0.2, 6, "worse"),
        ("morf", -0.2, -0.1, 6, "worse"),
        ("lerf", -0.2, -0.1, 6, "better"),
        ("morf", 0.0, 0.1, 6, "unclear"),
        ("morf", -0.1, 0.1, 6, "unclear"),
        ("morf", 0.1, 0.2, 5, "unclear"),
    ],
)
def test_a_verdict_needs_an_interval_beside_0_and_enough_images(
    order: Order, low: float, high: float, images: int, verdict: str
):
    row = Comparison(
        method="in_model",
        other="random",
        order=order,
        patch_size=None,
        fill=None,
        difference=(low + high) / 2,
        low=low,
        high=high,
        wins=0.5,
        images=images,
    )
    assert row.verdict == verdict
