"""What the best trial is: sums, limits, and the Pareto front against a look at every pair."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from distxml.config.sweep.objective import ObjectiveSettings
from distxml.tuning.objective import Objective, ObjectiveValue, pareto_front

SUM = ObjectiveSettings.model_validate(
    {
        "metrics": {"accuracy": {"goal": "max"}, "pompom": {"goal": "min", "weight": 0.5}},
        "limits": {"sparsity": {"at_most": 0.2}},
    }
)


def test_a_sum_with_a_limit() -> None:
    objective = Objective(SUM)
    kept = objective.score({"accuracy": 0.9, "pompom": 0.4, "sparsity": 0.2})
    missed = objective.score({"accuracy": 1.0, "pompom": 0.0, "sparsity": 0.3})
    missed_more = objective.score({"accuracy": 1.0, "pompom": 0.0, "sparsity": 0.9})
    assert kept and missed and missed_more
    assert kept.score == pytest.approx(0.9 - 0.2)
    assert kept.violation == 0 and missed.violation == pytest.approx(0.1)
    assert kept.score > missed.score > missed_more.score
    assert objective.in_words() == "accuracy - 0.5 pompom with sparsity ≤ 0.2"


@pytest.mark.parametrize("metrics", [{}, {"accuracy": 1.0, "pompom": math.nan, "sparsity": 0.1}, {"accuracy": 1.0}])
def test_no_value_without_all_metrics(metrics: dict[str, float]) -> None:
    assert Objective(SUM).score(metrics) is None


points = st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3))


@given(st.lists(st.tuples(points, st.sampled_from([0.0, 0.0, 0.5, 1.0])), max_size=12))
def test_the_front_is_what_nobody_beats(drawn: list[tuple[tuple[int, int, int], float]]) -> None:
    found = [ObjectiveValue(tuple(map(float, values)), violation, 0) for values, violation in drawn]
    expected = []
    for index, mine in enumerate(found):
        beaten = any(other.violation < mine.violation for other in found)
        for other in found:
            no_worse = all(other.values[axis] >= mine.values[axis] for axis in range(3))
            better = any(other.values[axis] > mine.values[axis] for axis in range(3))
            beaten = beaten or (other.violation == mine.violation and no_worse and better)
        if not beaten:
            expected.append(index)
    assert pareto_front(found) == expected
