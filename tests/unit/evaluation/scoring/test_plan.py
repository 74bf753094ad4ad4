"""What an evaluation will do."""

from collections import Counter
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from distxml.config.evaluation import EvaluationSettings
from distxml.evaluation.scoring.plan import make_plan, points

labelled = st.dictionaries(st.text(min_size=1, max_size=5), st.integers(0, 3), min_size=1, max_size=40)


def plan_of(label_of_key: dict[str, int], wanted: int | None, seed: int = 0):
    return make_plan(EvaluationSettings(curve_images=wanted), (48, 48), label_of_key, seed)


def test_too_large_patches_are_left_out_and_steps_are_capped():
    settings = EvaluationSettings(
        patch_sizes=(4, 32, 40, 49),
        min_patches=1,
        range="patches",
        methods=("in_model", "random"),
        fills=("black", "blur"),
    )
    plan = make_plan(settings, (40, 48), {"a": 0, "b": 1}, 0)
    assert plan.left_out_patch_sizes == (49,)
    assert [(curve.method, curve.patch_size, curve.steps, curve.is_complete) for curve in plan.curves] == [
        ("in_model", 4, 100, False),
        ("in_model", 32, 4, True),
        ("in_model", 40, 2, True),
        ("random", 4, 100, False),
        ("random", 32, 4, True),
        ("random", 40, 2, True),
    ]
    assert plan.methods == ("in_model", "random")
    each = 1 + 2 * (1 + 2 * (100 + 3 + 1))  # x(0); a fill's end; the rest of each curve
    assert points(plan.curves, 2) == each


def test_patch_sizes_that_leave_too_few_patches_are_left_out():
    plan = make_plan(EvaluationSettings(patch_sizes=(8, 9, 16)), (32, 32), {"a": 0}, 0)
    assert plan.left_out_patch_sizes == (16,), "4 patches; 9 pixels leave 4 × 4, eight of them partly"
    assert make_plan(EvaluationSettings(patch_sizes=(16,), min_patches=5), (32, 32), {"a": 0}, 0).curves == ()


@given(
    size=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    side=st.integers(1, 8),
    steps=st.one_of(st.integers(1, 120), st.just("all")),
    share=st.sampled_from([0.05, 0.3, 0.5, 1.0]),
)
def test_points_over_a_share_rise_evenly_to_where_any_order_has_replaced_it(size, side, steps, share):
    side = min(side, *size)
    settings = EvaluationSettings(
        methods=("in_model",), patch_sizes=(side,), min_patches=1, steps=steps, max_share=share
    )
    (curve,) = make_plan(settings, size, {"a": 0}, 0).curves
    areas = [
        min(side, size[0] - top) * min(side, size[1] - left)
        for top in range(0, size[0], side)
        for left in range(0, size[1], side)
    ]
    wanted = Fraction(str(share)) * size[0] * size[1]
    needed = next(count for count in range(1, len(areas) + 1) if sum(sorted(areas)[:count]) >= wanted)
    gaps = [after - before for before, after in pairwise(curve.counts)]
    assert curve.counts[0] == 0 and curve.counts[-1] == needed
    assert curve.steps == (needed if steps == "all" else min(steps, needed))
    assert min(gaps) >= 1 and max(gaps) - min(gaps) <= 1


def test_every_patch_is_replaced_if_asked():
    plan = make_plan(EvaluationSettings(patch_sizes=(4, 7), steps="all"), (40, 48), {"a": 0}, 0)
    assert {(curve.patch_size, curve.steps, curve.patches) for curve in plan.curves} == {(4, 120, 120), (7, 42, 42)}
    assert all(curve.is_complete for curve in plan.curves)


def test_a_random_order_has_one_direction():
    settings = EvaluationSettings(
        patch_sizes=(8, 16), min_patches=4, methods=("random", "otsu"), orders=("lerf", "morf")
    )
    plan = make_plan(settings, (32, 32), {"a": 0}, 0)
    assert [(curve.method, curve.patch_size, curve.order) for curve in plan.curves] == [
        ("random", 8, "lerf"),
        ("random", 16, "lerf"),
        ("otsu", 8, "lerf"),
        ("otsu", 8, "morf"),
        ("otsu", 16, "lerf"),
        ("otsu", 16, "morf"),
    ]


@pytest.mark.parametrize("nothing", [{"patch_sizes": (64,)}, {"patch_sizes": ()}, {"fills": ()}, {"methods": ()}])
def test_no_curves_where_there_is_nothing_to_do(nothing):
    plan = make_plan(EvaluationSettings(**nothing), (48, 48), {"a": 0}, 0)
    assert plan.curve_keys == frozenset()
    assert points(plan.curves, len(plan.fills)) in (0, 1)


@given(labelled, st.integers(1, 50))
def test_the_draw_is_stratified_and_does_not_depend_on_the_order(label_of_key, wanted):
    drawn = plan_of(label_of_key, wanted).curve_keys
    assert len(drawn) == min(wanted, len(label_of_key))
    assert drawn == plan_of(dict(reversed(label_of_key.items())), wanted).curve_keys
    there, chosen = Counter(label_of_key.values()), Counter(label_of_key[key] for key in drawn)
    for label, count in there.items():
        assert abs(chosen[label] - len(drawn) * count / len(label_of_key)) < 1


def test_the_draw_depends_on_the_seed():
    label_of_key = {str(index): index % 2 for index in range(100)}
    assert plan_of(label_of_key, 10, seed=0).curve_keys != plan_of(label_of_key, 10, seed=1).curve_keys
    assert plan_of(label_of_key, None).curve_keys == set(label_of_key)
