"""The whole summary against loops over the rows, and where there is little or nothing to summarise."""

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distxml.config.evaluation import EvaluationSettings
from distxml.evaluation.scoring.plan import PlannedCurve
from distxml.evaluation.statistics.groups import Groups
from distxml.evaluation.summary import Summary
from distxml.evaluation.summary_rows import AopcOverall
from tests.oracles import areas as oracle
from tests.oracles import intervals as interval_oracle
from tests.unit.evaluation.made_evaluation import LOCALIZATION, SETTINGS, Made, make_evaluation

SHARE = (0.0, 1.0)
METHODS = ("in_model", "random", "lrp")
PLACES = [(size, fill) for size in (8, 5) for fill in ("black", "blur")]


@pytest.fixture(scope="module")
def made() -> Made:
    return make_evaluation(labels=(0, 1, 1, 0, 1, 0, 0, 1, 1, 0, 1, 0, 1, 1))


@pytest.fixture(scope="module")
def summary(made: Made) -> Summary:
    return made.summary


def mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else float("nan")


def interval(values: Sequence[float | None]) -> tuple[float | None, float | None]:
    """95% interval of the mean of those that are there."""
    present = [value for value in values if value is not None]
    if len(present) < 6 or max(present) - min(present) < 1e-12:
        return None, None
    return interval_oracle.interval([[(value, 1.0)] for value in present])


def check(row: Any, value: float, values: Sequence[float | None], bounds: tuple[float, float] = (-9, 9)) -> None:
    """A record's value, interval and number of images."""
    present = [value for value in values if value is not None]
    assert value == pytest.approx(mean(present))
    low, high = interval(values)
    assert row.low == (low if low is None else pytest.approx(max(low, bounds[0])))
    assert row.high == (high if high is None else pytest.approx(min(high, bounds[1])))
    assert row.images == len(present)


def test_aopc_and_areas_at_every_setting(made: Made, summary: Summary):
    expected = [
        (method, size, order, fill)
        for method in METHODS
        for size in (8, 5)
        for order in (("morf",) if method == "random" else ("morf", "lerf"))
        for fill in ("black", "blur")
    ]
    assert [(row.method, row.patch_size, row.order, row.fill) for row in summary.aopc] == expected
    for row in summary.aopc:
        rows = oracle.curves(made.curves, row.method, row.order, row.patch_size, row.fill)
        check(row, row.aopc, list(oracle.mean_of_images(rows).values()))
        assert row.steps == {8: 4, 5: 7}[row.patch_size]
        assert row.tie_share == pytest.approx(mean([one["tie_share"] for one in rows]))
        by_steps = [mean([oracle.aopc(one["f"][: end + 1]) for one in rows]) for end in range(row.steps + 1)]
        assert row.by_steps == pytest.approx(by_steps)
        at_2 = [oracle.aopc(one["f"][:3]) for one in sorted(rows, key=lambda one: one["key"])]
        assert (row.by_steps_low[2], row.by_steps_high[2]) == pytest.approx(interval(at_2))
        assert (row.by_steps_low[-1], row.by_steps_high[-1]) == (row.low, row.high)
        if row.patch_size == 5:  # 7 of 16 patches
            assert (row.auc, row.auc_low, row.auc_high) == (None, None, None)
            continue
        areas = [oracle.auc(one["f"], row.order) for one in sorted(rows, key=lambda one: one["key"])]
        assert row.auc == pytest.approx(mean(areas))
        assert (row.auc_low, row.auc_high) == pytest.approx(interval(areas))


def test_aopc_over_all_settings(made: Made, summary: Summary):
    expected = [("in_model", "morf"), ("in_model", "lerf"), ("random", "morf"), ("lrp", "morf"), ("lrp", "lerf")]
    fills = ("black", "blur", None)
    assert [(row.fill, row.method, row.order) for row in summary.aopc_overall] == [
        (fill, *place) for fill in fills for place in expected
    ]
    for row in summary.aopc_overall:
        values, random = (
            [*oracle.mean_of_images(oracle.curves(made.curves, method, row.order, fill=row.fill)).values()]
            for method in (row.method, "random")
        )
        check(row, row.aopc, values)
        assert row.settings == (4 if row.fill is None else 2)
        times = (row.times_random, row.times_random_low, row.times_random_high)
        if row.method == "random":
            assert times == (None, None, None)
            continue
        ends = interval_oracle.ratio_of_means([[value] for value in values], [[value] for value in random])
        if ends is None:
            assert times == (None, None, None)
        else:
            assert times == pytest.approx((mean(values) / mean(random), *ends), rel=1e-6)
    assert any(row.times_random for row in summary.aopc_overall)
    assert summary.overall("lerf", "blur") == [
        row for row in summary.aopc_overall if row.fill == "blur" and (row.order == "lerf" or row.method == "random")
    ]


@pytest.mark.parametrize("share", [0.4, 1.0])
def test_aopc_over_the_share_of_the_image(share: float):
    over_share = {"range": "share", "max_share": share, "steps": 5}
    made = make_evaluation(SETTINGS.model_copy(update=over_share), labels=(0, 1) * 4)
    summary = made.summary
    for row in summary.aopc:
        rows = oracle.curves(made.curves, row.method, row.order, row.patch_size, row.fill)
        expected = mean([oracle.aopc_over_share(one["f"], one["share"], share) for one in rows])
        assert (row.aopc, row.by_steps[-1]) == pytest.approx((expected, expected))
        assert row.shares == pytest.approx(rows[0]["share"])
        if share == 1:
            assert row.auc == pytest.approx(mean([one["f"][0] for one in rows]) - expected)
    assert {(row.patch_size, row.steps) for row in summary.aopc} == {
        (8, 2 if share < 1 else 4),
        (5, 5),
    }, "of 4 patches two, or all; of 16 at five points"


def test_gaps_between_the_orders(made: Made, summary: Summary):
    found = [(row.method, row.patch_size, row.fill) for row in summary.order_gaps]
    assert found == [(method, *place) for method in ("in_model", "lrp") for place in PLACES]
    for row in summary.order_gaps:
        morf, lerf = (
            oracle.mean_of_images(oracle.curves(made.curves, row.method, order, row.patch_size, row.fill))
            for order in ("morf", "lerf")
        )
        check(row, row.gap, list(oracle.minus(morf, lerf).values()))


def test_comparisons(made: Made, summary: Summary):
    expected = [
        (*pair, order, *place)
        for pair in (("in_model", "random"), ("lrp", "random"), ("in_model", "lrp"))
        for order in ("morf", "lerf")
        for place in [*PLACES, (None, "black"), (None, "blur"), (None, None)]
    ]
    found = [(row.method, row.other, row.order, row.patch_size, row.fill) for row in summary.comparisons]
    assert found == expected
    for row in summary.comparisons:
        own, other = (
            oracle.mean_of_images(oracle.curves(made.curves, method, row.order, row.patch_size, row.fill))
            for method in (row.method, row.other)
        )
        differences = oracle.minus(own, other)
        check(row, row.difference, list(differences.values()))
        assert row.wins == pytest.approx(oracle.wins(differences, row.order))
    assert any(row.wins * row.images % 1 for row in summary.comparisons)  # some image is a tie
    assert (
        summary.comparison("lrp", "random", "lerf", 5, "blur")
        == summary.comparisons[expected.index(("lrp", "random", "lerf", 5, "blur"))]
    )
    assert summary.comparison("random", "lrp", "lerf") is None


def test_heatmaps_and_masks(made: Made, summary: Summary):
    found = [(row.method, row.name) for row in summary.heatmaps]
    assert found == [(method, name) for method in ("in_model", "lrp") for name in LOCALIZATION]
    for row in summary.heatmaps:
        rows = sorted((one for one in made.heatmaps if one["method"] == row.method), key=lambda one: one["key"])
        check(row, row.value or 0, [one[row.name] for one in rows], SHARE)


def test_each_class_is_a_summary_of_its_images(made: Made, summary: Summary):
    assert [part.class_name for part in summary.by_class] == ["circle", "triangle"]
    keys = sorted(row["key"] for row in made.images)
    for label, part in enumerate(summary.by_class):
        images, heatmaps, curves = (
            [row for row in rows if row["label"] == label] for rows in (made.images, made.heatmaps, made.curves)
        )
        assert part.images == part.curve_images == len(images)
        by_name = {metric.name: metric for metric in part.metrics}
        assert by_name["accuracy"].value == mean([float(row["predicted"] == label) for row in images])
        ordered = sorted(images, key=lambda row: row["key"])
        check(by_name["pompom"], by_name["pompom"].value or 0, [row["pompom"] for row in ordered], SHARE)
        assert "roc_auc" not in by_name
        for row in part.heatmaps:
            rows = sorted((one for one in heatmaps if one["method"] == row.method), key=lambda one: one["key"])
            check(row, row.value or 0, [one[row.name] for one in rows], SHARE)
        for row in part.aopc_overall:
            values = oracle.mean_of_images(oracle.curves(curves, row.method, row.order))
            check(row, row.aopc, list(values.values()))
        assert len(part.comparisons) == 6
        for row in part.comparisons:
            assert (row.patch_size, row.fill) == (None, None)
            own, other = (
                oracle.mean_of_images(oracle.curves(curves, method, row.order)) for method in (row.method, row.other)
            )
            check(row, row.difference, of_all(oracle.minus(own, other), keys))


def of_all(values: Mapping[str, float], keys: Sequence[str]) -> list[float | None]:
    """Those of a class among all images: differences are tested over the resamples of all of them."""
    return [values.get(key) for key in keys]


@given(st.randoms(use_true_random=False))
@settings(max_examples=10)
def test_the_order_of_the_rows_does_not_matter(made: Made, summary: Summary, generator: random.Random):
    shuffled = [generator.sample(rows, len(rows)) for rows in (made.images, made.heatmaps, made.curves)]
    assert Made(made.evaluation, *shuffled).summary == summary


@given(st.integers(0, 2**32))
@settings(max_examples=20)
def test_a_gap_is_the_difference_of_the_orders_aopc(seed: int):
    summary = make_evaluation(seed=seed).summary
    aopc = {(row.method, row.order, row.patch_size, row.fill): row.aopc for row in summary.aopc}
    for row in summary.order_gaps:
        morf, lerf = (aopc[row.method, order, row.patch_size, row.fill] for order in ("morf", "lerf"))
        assert row.gap == pytest.approx(morf - lerf)


def over_all_fills(summary: Summary) -> tuple[AopcOverall, ...]:
    """What a class has, too."""
    return tuple(row for row in summary.aopc_overall if row.fill is None)


def planted(made: Made, f: Callable[[str, str, int], list[float]]) -> Summary:
    """The summary, had the curves been these; by method, order and steps."""
    curves = [row | {"f": f(row["method"], row["order"], row["steps"])} for row in made.curves]
    return Made(made.evaluation, made.images, made.heatmaps, curves).summary


def test_a_planted_explanation_is_found():
    def f(method: str, order: str, steps: int) -> list[float]:
        if method == "random":
            return [1 - step / steps for step in range(steps + 1)]
        knows = method == "in_model"  # lrp has it the wrong way round
        falls_at_once = knows == (order == "morf")
        return [1.0, *([0.0] * steps if falls_at_once else [1.0] * (steps - 1) + [0.0])]

    summary = planted(make_evaluation(SETTINGS.model_copy(update={"patch_sizes": (8,)})), f)
    found = {(row.method, row.order): row for row in summary.aopc if row.fill == "black"}
    assert {place: row.aopc for place, row in found.items()} == {
        ("in_model", "morf"): pytest.approx(4 / 5),
        ("in_model", "lerf"): pytest.approx(1 / 5),
        ("lrp", "morf"): pytest.approx(1 / 5),
        ("lrp", "lerf"): pytest.approx(4 / 5),
        ("random", "morf"): pytest.approx(1 / 2),
    }
    assert found["in_model", "morf"].auc == pytest.approx(1 / 8)  # deletion: half a patch
    assert found["in_model", "lerf"].auc == pytest.approx(7 / 8)  # insertion
    assert found["random", "morf"].auc == pytest.approx(1 / 2)
    gaps = {row.method: row.gap for row in summary.order_gaps}
    assert gaps == {"in_model": pytest.approx(3 / 5), "lrp": pytest.approx(-3 / 5)}
    assert {(row.method, row.other, row.wins) for row in summary.comparisons} == {
        ("in_model", "random", 1),
        ("lrp", "random", 0),
        ("in_model", "lrp", 1),
    }


@pytest.mark.parametrize("level", [0.0, 0.1, 0.7])
def test_constant_curves_have_no_aopc_and_no_winner(level: float):
    summary = planted(make_evaluation(), lambda method, order, steps: [level] * (steps + 1))
    assert {row.aopc for row in summary.aopc} == {row.gap for row in summary.order_gaps} == {0}
    assert [row.auc for row in summary.aopc if row.patch_size == 8] == pytest.approx([level] * 10)
    assert {(row.difference, row.low, row.high, row.p, row.wins, row.verdict) for row in summary.comparisons} == {
        (0, None, None, None, 0.5, "unclear")
    }


def test_one_image():
    summary = make_evaluation(labels=(1,)).summary
    assert (summary.images, summary.curve_images) == (1, 1)
    assert {(row.low, row.high) for row in summary.aopc} == {(None, None)}
    assert {row.verdict for row in summary.comparisons} == {"unclear"}  # one image is no evidence
    assert summary.metric("roc_auc").value is None
    without, with_images = summary.by_class
    assert without.metrics == without.heatmaps == without.aopc_overall == without.comparisons == ()
    assert with_images.aopc_overall == over_all_fills(summary)


def test_five_images_are_not_enough_for_a_verdict():
    def f(method: str, order: str, steps: int) -> list[float]:
        return [1.0, *[0.0 if method == "in_model" else 0.5 + next(noise)] * steps]

    for images, verdict in ((5, "unclear"), (6, "better")):
        noise = iter(np.random.default_rng(0).uniform(0, 0.1, 10_000))
        row = planted(make_evaluation(labels=(0,) * images), f).primary
        assert row is not None and row.difference > 0.3
        assert (row.p is None, row.verdict) == (images == 5, verdict)


def test_a_difference_that_all_images_share_exactly_says_nothing_of_its_spread():
    def f(method: str, order: str, steps: int) -> list[float]:
        return [1.0, *[0.0 if method == "in_model" else 0.5] * steps]

    row = planted(make_evaluation(labels=(0,) * 9), f).primary
    assert row is not None and (row.low, row.high, row.p, row.verdict) == (None, None, None, "unclear")


def test_patients_are_counted_and_resampled():
    labels = (0, 1, 1, 0, 1, 0, 0, 1, 1, 0, 1, 0, 1, 1, 0, 0, 1, 1)
    groups = (*("abcdefg" * 2), None, None, None, None)
    grouped = make_evaluation(labels=labels, groups=groups).summary
    single = make_evaluation(labels=labels).summary
    assert (grouped.images, grouped.groups, grouped.curve_images, grouped.curve_groups) == (18, 11, 18, 11)
    assert (single.groups, single.curve_groups) == (None, None)
    assert (grouped.metric("accuracy").groups, single.metric("accuracy").groups) == (11, None)
    assert [part.groups for part in single.by_class] == [None, None]
    for part in grouped.by_class:
        own = [
            group
            for group, label in zip(groups, labels, strict=True)
            if label == grouped.classes.index(part.class_name)
        ]
        assert part.groups == len({group for group in own if group}) + own.count(None)
    assert grouped.aopc[0].aopc == pytest.approx(single.aopc[0].aopc)
    assert grouped.aopc[0].low != single.aopc[0].low
    by_hand = Groups.of([None] * 3 + ["x", "x"])
    assert (by_hand.count, by_hand.size().groups) == (4, 4)


def test_one_class():
    summary = make_evaluation(labels=(0,) * 6, classes=("circle",)).summary
    (part,) = summary.by_class
    assert part.aopc_overall == over_all_fills(summary)
    assert part.heatmaps == summary.heatmaps
    of_all = tuple(row for row in summary.comparisons if row.fill is None)
    same = {"p", "primary"}  # the primary comparison is of all classes
    assert [row.model_dump(exclude=same) for row in part.comparisons] == [
        row.model_dump(exclude=same) for row in of_all
    ]
    assert part.metrics == tuple(metric for metric in summary.metrics if metric.name in {m.name for m in part.metrics})


def test_no_masks():
    summary = make_evaluation(annotated=False).summary
    assert summary.annotated == 0
    assert {(row.value, row.low, row.high, row.images) for row in summary.heatmaps} == {(None, None, None, 0)}
    assert summary.metric("pompom").value is None
    assert len(summary.aopc) == 20


@pytest.mark.parametrize("nothing", [{"patch_sizes": ()}, {"fills": ()}, {"methods": ()}, {"patch_sizes": (64,)}])
def test_no_curves(nothing: dict[str, Any]):
    summary = make_evaluation(SETTINGS.model_copy(update=nothing)).summary
    assert summary.curve_images == 0
    empty = (summary.aopc, summary.heatmaps, summary.aopc_overall, summary.order_gaps, summary.comparisons)
    assert empty == ((),) * 5
    assert summary.metric("accuracy").images == 7
    for part in summary.by_class:
        assert part.images and not part.curve_images and part.metrics
        assert part.heatmaps == part.aopc_overall == part.comparisons == ()


def test_a_class_without_perturbed_images():
    few = SETTINGS.model_copy(update={"curve_images": 2})
    summary = make_evaluation(few, labels=(0, 0, 0, 1), classes=("a", "b", "c")).summary
    assert [(part.images, part.curve_images) for part in summary.by_class] == [(3, 2), (1, 0), (0, 0)]
    first, second, third = summary.by_class
    assert first.aopc_overall == over_all_fills(summary)
    assert second.metrics and not second.heatmaps and not second.aopc_overall and not second.comparisons
    assert not third.metrics


@pytest.mark.parametrize(
    ("methods", "orders", "overall", "pairs"),
    [
        (("random",), ("lerf", "morf"), [("random", "lerf")], set()),
        (("lrp", "canny"), ("morf",), [("lrp", "morf"), ("canny", "morf")], set()),
        (("lrp", "random"), ("lerf",), [("lrp", "lerf"), ("random", "lerf")], {("lrp", "random")}),
        (("lrp", "in_model"), ("morf",), [("lrp", "morf"), ("in_model", "morf")], {("in_model", "lrp")}),
    ],
)
def test_what_was_not_asked_for_is_not_compared(methods: Any, orders: Any, overall: Any, pairs: Any):
    wanted: EvaluationSettings = SETTINGS.model_copy(update={"methods": methods, "orders": orders})
    summary = make_evaluation(wanted).summary
    assert [(row.method, row.order) for row in over_all_fills(summary)] == overall
    assert {(row.method, row.other) for row in summary.comparisons} == pairs
    assert summary.order_gaps == ()


@pytest.mark.parametrize(
    "change", [lambda rows: rows[1:], lambda rows: [rows[0], *rows], lambda rows: [rows[0], rows[0], *rows[2:]]]
)
@pytest.mark.parametrize("table", ["heatmaps", "curves"])
def test_rows_that_are_missing_or_come_twice_are_refused(made: Made, table: str, change: Any):
    tables = {name: getattr(made, name) for name in ("images", "heatmaps", "curves")}
    tables[table] = change(tables[table])
    with pytest.raises(ValueError, match="rows are not one for each of 14 images"):
        _ = Made(made.evaluation, **tables).summary


def test_curves_of_other_steps_are_refused(made: Made):
    planned: PlannedCurve = made.evaluation.plan.curves[0]
    with pytest.raises(ValueError, match=f"curves of in_model do not have {planned.steps} steps"):
        planted(made, lambda method, order, steps: [0.0] * (steps + 2))
