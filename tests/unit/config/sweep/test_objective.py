"""An objective names metrics of the table; which way is better is the table's, where nothing else is said."""

from typing import Any

import pytest
from pydantic import ValidationError

from distxml.config.sweep.objective import ObjectiveSettings


def objective(metrics: dict[str, Any], **others: Any) -> ObjectiveSettings:
    return ObjectiveSettings.model_validate({"metrics": metrics} | others)


def test_goals_are_those_of_the_table_unless_given() -> None:
    found = objective({"accuracy": {}, "pompom": {"weight": 0.5}, "total": {}, "flips_above_random": {"goal": "min"}})
    assert {name: goal.goal for name, goal in found.metrics.items()} == {
        "accuracy": "max", "pompom": "min", "total": "min", "flips_above_random": "min",
    }  # fmt: skip
    assert found.metrics["pompom"].weight == 0.5


def test_where_no_way_is_better_a_goal_must_be_given() -> None:
    with pytest.raises(ValidationError, match=r"sparsity has no goal: .*; add goal: max or min"):
        objective({"sparsity": {}})
    assert objective({"sparsity": {"goal": "min"}}).metrics["sparsity"].goal == "min"


@pytest.mark.parametrize("place", ["metrics", "limits"])
def test_only_metrics_that_training_logs(place: str) -> None:
    for name, near in [("acuracy", "accuracy"), ("pompon", "pompom")]:
        given = {"metrics": {"accuracy": {}}} | {place: {name: {"at_most": 1} if place == "limits" else {}}}
        with pytest.raises(ValidationError, match=rf"no such metric of the validation split; did you mean {near}\?"):
            ObjectiveSettings.model_validate(given)


def test_which_metrics_only_quick_scores_make() -> None:
    limits = {"pompom": {"at_most": 0.5}, "total": {"at_most": 9}}
    found = objective({"accuracy": {}, "flips_above_random": {}}, limits=limits)
    assert found.needs_quick_scores == ("flips_above_random", "pompom")


@pytest.mark.parametrize("given", [{"metrics": {"aopc": {}}}, {"limits": {"aopc": {"at_least": 0.1}}}])
def test_nothing_ranks_models_by_their_confidence(given: dict[str, Any]) -> None:
    refused = "aopc is no objective: it grows with the model's confidence, .*; use flips_above_random"
    with pytest.raises(ValidationError, match=refused):
        ObjectiveSettings.model_validate({"metrics": {"accuracy": {}}} | given)
