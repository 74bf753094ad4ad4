"""What an evaluation will do."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from distxml.config.evaluation import EvaluationSettings
from distxml.evaluation.plan import make_plan

labelled = st.dictionaries(st.text(min_size=1, max_size=5), st.integers(0, 3), min_size=1, max_size=40)


def plan_of(label_of_key: dict[str, int], wanted: int | None, seed: int = 0):
    return make_plan(EvaluationSettings(curve_images=wanted), (48, 48), label_of_key, seed)


def test_too_large_patches_are_left_out_and_steps_are_capped():
    settings = EvaluationSettings(patch_sizes=(4, 32, 40, 49), methods=("in_model", "random"), fills=("black", "blur"))
    plan = make_plan(settings, (40, 48), {"a": 0, "b": 1}, 0)
    assert plan.left_out_patch_sizes == (49,)
    assert [(order.method, order.patch_size, order.steps) for order in plan.orders] == [
        ("in_model", 4, 100),
        ("in_model", 32, 4),
        ("in_model", 40, 2),
        ("random", 4, 100),
        ("random", 32, 4),
        ("random", 40, 2),
    ]
    assert plan.points == 1 + 2 * 2 * 106
    assert plan.passes == 2 + 2 * plan.points


def test_no_curves_where_no_patch_size_fits():
    plan = make_plan(EvaluationSettings(patch_sizes=(64,)), (48, 48), {"a": 0}, 0)
    assert plan.curve_keys == frozenset()
    assert plan.passes == 1


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
