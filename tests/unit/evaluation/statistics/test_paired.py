"""Two methods against each other: paired, the same from either side, and called clear only where it is."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distxml.config.evaluation import Method, Order
from distxml.evaluation.statistics.aopc_summary import comparisons
from distxml.evaluation.statistics.family import Outcome, outcomes_of
from distxml.evaluation.statistics.groups import Groups
from distxml.evaluation.statistics.image_aopc import ImageAopc
from distxml.evaluation.statistics.paired import (
    Place,
    differences_of_methods,
    differences_of_orders,
    pairs,
)
from distxml.evaluation.statistics.resamples import Resamples
from distxml.evaluation.statistics.sign_flips import sign_flip_p_value
from distxml.evaluation.summary_rows import Comparison
from tests.oracles import intervals as oracle

ORDERS: tuple[Order, ...] = ("morf", "lerf")
PRIMARY = Place("in_model", "lrp", "morf")


def scores(own: np.ndarray, other: np.ndarray, *, group: np.ndarray | None = None) -> ImageAopc:
    """Of in_model and of lrp, n×2 each, the same in both orders."""
    values: dict[tuple[Method, Order], np.ndarray] = {}
    for order in ORDERS:
        values |= {("in_model", order): own, ("lrp", order): other}
    images = len(own)
    return ImageAopc(
        settings=((8, "black"), (8, "blur")),
        label=np.zeros(images, np.int64),
        values=values,
        groups=Groups(np.arange(images) if group is None else group),
        images=np.ones(images, np.bool_),
    )


def outcomes(found: ImageAopc, primary: Place | None = None, *, draws: int = 201, seed: int = 0) -> list[Outcome]:
    """Every difference between methods, as one family."""
    resamples = Resamples(found.groups, draws, seed)
    return list(outcomes_of(list(differences_of_methods(found)), resamples, primary).values())


def compared(own: np.ndarray, other: np.ndarray) -> tuple[Comparison, ...]:
    return comparisons(outcomes(scores(own, other)))


@given(st.integers(0, 2**32), st.integers(1, 12))
@settings(max_examples=30)
def test_the_other_side_sees_the_opposite(seed: int, images: int):
    own, other = np.random.default_rng(seed).integers(0, 3, (2, images, 2)) / 4
    opposite = {"better": "worse", "worse": "better", "unclear": "unclear"}
    for one, turned in zip(compared(own, other), compared(other, own), strict=True):
        assert one.wins + turned.wins == pytest.approx(1)
        assert one.difference == -turned.difference
        assert (one.low is None) == (turned.high is None) and (one.p is None) == (turned.p is None)
        if one.low is not None and turned.high is not None:
            assert one.low == pytest.approx(-turned.high)
            assert one.p == turned.p
        assert one.verdict == opposite[turned.verdict]


def test_rounding_is_no_difference():
    """f of the same x(k) differs by some 1e-8 with its place in a batch."""
    generator = np.random.default_rng(3)
    own = generator.random((9, 2))
    for row in compared(own, own + 2e-8 + 1e-9 * generator.random((9, 2))):
        assert (row.wins, row.verdict, row.p) == (0.5, "unclear", None)


@given(st.integers(0, 2**32), st.integers(1, 9))
@settings(max_examples=30)
def test_lerf_is_won_by_the_lower(seed: int, images: int):
    own, other = np.random.default_rng(seed).integers(0, 3, (2, images, 2)) / 4
    rows = compared(own, other)
    morf, lerf = ([row for row in rows if row.order == order] for order in ORDERS)
    for one, turned in zip(morf, lerf, strict=True):
        assert one.wins + turned.wins == pytest.approx(1)
        assert (one.difference, one.low, one.high, one.p) == (turned.difference, turned.low, turned.high, turned.p)


@pytest.mark.parametrize("patients", [15, 8])
def test_the_difference_is_paired_image_by_image_and_resampled_by_patient(patients: int):
    random = np.random.default_rng(1)
    level = random.random((15, 1))  # images differ far more than methods do: unpaired, the interval would be wide
    own, other = level + 0.02 * random.random((15, 2)), level + 0.02 * random.random((15, 2))
    found = scores(own, other, group=np.arange(15) % patients)
    groups: list[list[tuple[float, float]]] = [[] for _ in range(patients)]
    for image in range(15):
        groups[image % patients].append((float(own[image].mean() - other[image].mean()), 1.0))
    resamples = Resamples(found.groups, 201, 0)
    low, high = oracle.interval(groups)
    p = oracle.p_value(np.concatenate(list(resamples.counts())), groups)
    row = next(row for row in comparisons(outcomes(found, PRIMARY)) if row.primary)
    assert (row.method, row.other, row.order, row.patch_size) == ("in_model", "lrp", "morf", None)
    assert row.difference == pytest.approx(oracle.ratio(groups))
    assert (row.low, row.high) == pytest.approx((low, high))
    assert high - low < 0.03
    differences = np.array([own[image].mean() - other[image].mean() for image in range(15)])
    assert row.p == pytest.approx(max(p, sign_flip_p_value(differences, resamples)))


def test_the_primary_comparison_is_not_adjusted_and_all_others_are():
    """Sixteen images, forty settings: a difference that is clear by itself, and is not among the forty."""
    own = 0.25 + np.random.default_rng(11).normal(0, 0.4, (16, 40))
    found = ImageAopc(
        settings=tuple((size, "black") for size in range(1, 41)),
        label=np.zeros(16, np.int64),
        values={("in_model", "morf"): own, ("random", "morf"): np.zeros((16, 40))},
        groups=Groups(np.arange(16)),
        images=np.ones(16, np.bool_),
    )
    primary = Place("in_model", "random", "morf", 7, "black")
    (alone,) = [row for row in comparisons(outcomes(found, primary, draws=1000)) if row.primary]
    (among,) = [row for row in comparisons(outcomes(found, draws=1000)) if row.patch_size == 7]
    assert not among.primary
    assert (alone.low, alone.high) == (among.low, among.high)
    assert alone.p is not None and among.p is not None and among.p > 3 * alone.p


def test_a_class_is_part_of_the_family():
    """Its own differences, over the resamples of all images."""
    generator = np.random.default_rng(2)
    found = scores(generator.random((20, 2)), generator.random((20, 2)))
    of_class = ImageAopc(
        settings=found.settings,
        label=found.label[:8],
        values={place: values[:8] for place, values in found.values.items()},
        groups=found.groups.over(np.arange(20) < 8),
        images=np.arange(20) < 8,
        only=0,
    )
    differences = [*differences_of_methods(found), *differences_of_orders(found), *differences_of_methods(of_class)]
    family = outcomes_of(differences, Resamples(found.groups, 201, 0), None)
    assert len(family) == len(differences) == 2 * (2 + 2 + 1) + 4 + 2
    for order in ORDERS:
        row = family[Place("in_model", "lrp", order, label=0)]
        own = (of_class.of("in_model", order) - of_class.of("lrp", order)).mean(1)
        groups = [[(float(value), 1.0)] for value in own] + [[(0.0, 0.0)]] * 12
        low, high = oracle.interval(groups)
        assert (row.low, row.high) == pytest.approx((low, high))
    gaps = [one for place, one in family.items() if place.other is None]
    assert {(one.low, one.p) for one in gaps} == {(None, None)}  # the two orders have the same numbers here


def test_without_any_difference_few_families_call_anything_clear():
    """200 evaluations of 20 images, 24 settings whose differences correlate; benchmarks/coverage.py has more."""
    generator = np.random.default_rng(7)
    clear = 0
    for seed in range(200):
        values = 0.8 * generator.normal(size=(20, 1)) + 0.6 * generator.normal(size=(20, 24))
        found = ImageAopc(
            settings=tuple((size, "black") for size in range(1, 25)),
            label=np.zeros(20, np.int64),
            values={("in_model", "morf"): values, ("random", "morf"): np.zeros((20, 24))},
            groups=Groups(np.arange(20)),
            images=np.ones(20, np.bool_),
        )
        clear += any(row.verdict != "unclear" for row in comparisons(outcomes(found, draws=200, seed=seed)))
    assert clear <= 0.06 * 200


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
    ("order", "difference", "p", "low", "verdict"),
    [
        ("morf", 0.1, 0.04, 0.01, "better"),
        ("lerf", 0.1, 0.04, 0.01, "worse"),
        ("morf", -0.1, 0.04, -0.19, "worse"),
        ("lerf", -0.1, 0.04, -0.19, "better"),
        ("morf", 0.1, 0.05, 0.01, "unclear"),
        ("morf", 0.1, None, 0.01, "unclear"),
        ("morf", 0.1, 0.04, -0.01, "unclear"),
        ("morf", 0.1, 0.04, None, "unclear"),
        ("morf", 1e-7, 0.001, 1e-8, "unclear"),
    ],
)
def test_a_verdict_needs_a_small_p_an_interval_beside_0_and_more_than_rounding(
    order: Order, difference: float, p: float | None, low: float | None, verdict: str
):
    row = Comparison(
        method="in_model",
        other="random",
        order=order,
        patch_size=None,
        fill=None,
        difference=difference,
        low=low,
        high=None if low is None else 2 * difference - low,
        p=p,
        primary=False,
        wins=0.5,
        images=9,
    )
    assert row.verdict == verdict
