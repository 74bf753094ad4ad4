"""Which trials are proposed: grids, draws, TPE, steps, and the same after an interruption."""

from typing import Any

import pytest

from distxml.config import Recipe
from distxml.config.sweep import SweepSettings
from distxml.tuning.plan import NoTrial, Proposal, SweepPlan
from distxml.tuning.records import TrialRecord
from tests.unit.tuning.small_sweep import base_recipe, ended, small_sweep

CONDITIONAL = {
    "loss.kind": {"choice": ["unsupervised", "hybrid"]},
    "loss.gamma": {"loguniform": [0.01, 10], "when": {"loss.kind": "hybrid"}},
    "loss.beta": {"uniform": [0.5, 1]},
}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Recipe:
    return base_recipe(tmp_path_factory.mktemp("base"))


def run_through(plan: SweepPlan, accuracy_of: Any, most: int = 100) -> list[TrialRecord]:
    """Make every trial at once, one after the other."""
    for _ in range(most):
        proposal = plan.next()
        if not isinstance(proposal, Proposal):
            assert proposal is NoTrial.OVER
            break
        record = TrialRecord(number=len(plan.records), step=proposal.step, settings=proposal.settings)
        plan.add(record)
        plan.records[-1] = ended(record, accuracy_of(record.settings))
        plan.over(plan.records[-1])
    return plan.records


def test_a_grid_leaves_out_what_is_not_set_and_varies_the_last_phase_slowest(base: Recipe) -> None:
    sweep = small_sweep(
        search={"kind": "grid"},
        budget={},
        parameters={
            "phases.joint.alpha": {"grid": [0.5, 0.9]},
            "loss.kind": {"grid": ["unsupervised", "hybrid"]},
            "loss.gamma": {"grid": [1, 10], "when": {"loss.kind": "hybrid"}},
            "loss.beta": 0.8,
        },
    )
    plan = SweepPlan(sweep, base, [])
    assert plan.max_trials() == 6
    made = [record.settings for record in run_through(plan, lambda settings: 0.5)]
    one = [
        {"loss.kind": "unsupervised"},
        {"loss.kind": "hybrid", "loss.gamma": 1},
        {"loss.kind": "hybrid", "loss.gamma": 10},
    ]
    assert made == [{"phases.joint.alpha": alpha, "loss.beta": 0.8} | each for alpha in (0.5, 0.9) for each in one]


def test_draws_depend_on_seed_and_number_alone(base: Recipe) -> None:
    first = [r.settings for r in run_through(SweepPlan(small_sweep(), base, []), lambda s: 0.1)]
    other = small_sweep(search={"kind": "random", "seed": 1})
    assert len(first) == 6 and len({str(each) for each in first}) == 6
    assert first == [r.settings for r in run_through(SweepPlan(small_sweep(), base, []), lambda s: 0.9)]
    assert first != [r.settings for r in run_through(SweepPlan(other, base, []), lambda s: 0.1)]
    known = SweepPlan(small_sweep(), base, []).records
    resumed = SweepPlan(small_sweep(), base, run_through(SweepPlan(small_sweep(), base, []), lambda s: 0.1)[:3])
    assert [r.settings for r in run_through(resumed, lambda s: 0.1)] == first
    assert known == []


def test_draws_lie_within_the_ends_and_reach_all_choices(base: Recipe) -> None:
    parameters = {
        "loss.beta": {"uniform": [0.5, 1]},
        "loss.gamma": {"loguniform": [0.01, 10]},
        "model.width": {"integer": [2, 4]},
        "loss.kind": {"choice": ["unsupervised", "hybrid"]},
    }
    sweep = small_sweep(parameters=parameters, budget={"trials": 60})
    drawn = [record.settings for record in run_through(SweepPlan(sweep, base, []), lambda s: 0.1)]
    assert all(0.5 <= each["loss.beta"] <= 1 and 0.01 <= each["loss.gamma"] <= 10 for each in drawn)
    assert 15 < sum(each["loss.gamma"] < 10**-0.5 for each in drawn) < 45, "even over the orders of magnitude"
    assert {each["model.width"] for each in drawn} == {2, 3, 4}
    assert {each["loss.kind"] for each in drawn} == {"unsupervised", "hybrid"}


def test_conditions_hold_also_for_what_the_recipe_says(base: Recipe) -> None:
    parameters = {"loss.gamma": {"uniform": [0, 1], "when": {"loss.kind": ["hybrid", "other"]}}, "loss.beta": 0.7}
    (first, *_) = run_through(SweepPlan(small_sweep(parameters=parameters), base, []), lambda s: 0.1)
    assert first.settings == {"loss.beta": 0.7}, "the recipe is unsupervised"


@pytest.mark.parametrize(("chosen", "gammas"), [("hybrid", [0.1, 10]), ("unsupervised", [None])])
def test_conditions_see_what_earlier_steps_chose(base: Recipe, chosen: str, gammas: list[float | None]) -> None:
    steps = (
        {"parameters": {"loss.kind": {"grid": ["unsupervised", "hybrid"]}}},
        {"parameters": {"loss.gamma": {"grid": [0.1, 10], "when": {"loss.kind": "hybrid"}}, "loss.beta": 0.7}},
    )
    plan = SweepPlan(small_sweep(search={"kind": "grid"}, budget={}, steps=steps), base, [])
    assert plan.max_trials() == 4, "of the second step two at most"
    made = run_through(plan, lambda settings: 0.9 if settings["loss.kind"] == chosen else 0.1)
    assert [record.settings.get("loss.gamma") for record in made if record.step == 1] == gammas


def tpe(**content: Any) -> SweepSettings:
    return small_sweep(search={"kind": "tpe", "startup": 8}, budget={"trials": 40}, parameters=CONDITIONAL, **content)


def test_tpe_finds_what_is_good_and_keeps_to_conditions(base: Recipe) -> None:
    def accuracy(settings: dict[str, Any]) -> float:
        near = -abs(settings["loss.beta"] - 0.8)
        return near + (0.5 - abs(settings["loss.gamma"] - 1) if settings["loss.kind"] == "hybrid" else 0)

    records = run_through(SweepPlan(tpe(), base, []), accuracy)
    assert len(records) == 40
    for record in records:
        assert ("loss.gamma" in record.settings) == (record.settings["loss.kind"] == "hybrid")
    begun, late = records[:8], records[-12:]
    best = max(record.score or 0 for record in begun)
    assert sum(record.settings["loss.kind"] == "hybrid" for record in late) >= 8
    assert max(record.score or 0 for record in late) > best


def test_tpe_continues_after_an_interruption(base: Recipe) -> None:
    records = run_through(SweepPlan(tpe(), base, []), lambda settings: settings["loss.beta"], most=12)
    records[4] = records[4].model_copy(update={"status": "failed", "metrics": {}, "score": None})
    records[5] = records[5].model_copy(update={"status": "stopped"})
    records[11] = records[11].model_copy(update={"status": "running", "metrics": {}, "score": None})
    plan = SweepPlan(tpe(), base, records)
    plan.records[11] = ended(plan.records[11], 0.5)
    plan.over(plan.records[11])
    more = run_through(plan, lambda settings: settings["loss.beta"])
    assert len(more) == 40 and more[:11] == records[:11]
    assert not [one for one in more[12:] if one.settings in [known.settings for known in records]]


def test_tpe_with_several_objectives_and_a_limit(base: Recipe) -> None:
    objective = {
        "combine": "pareto",
        "metrics": {"accuracy": {"goal": "max"}, "pompom": {"goal": "min"}},
        "limits": {"sparsity": {"at_most": 0.5}},
    }
    sweep = tpe(objective=objective)
    plan = SweepPlan(sweep, base, [])
    while isinstance(proposal := plan.next(), Proposal):
        record = TrialRecord(number=len(plan.records), settings=proposal.settings, status="finished")
        beta = record.settings["loss.beta"]
        record.metrics = {"accuracy": beta, "pompom": beta, "sparsity": beta}
        plan.add(record)
        plan.over(record)
    late = [record.settings["loss.beta"] for record in plan.records[20:]]
    early = [record.settings["loss.beta"] for record in plan.records[:8]]
    assert sum(late) / len(late) < sum(early) / len(early), "it learns to keep the limit"


STEPS = (
    {"parameters": {"phases.joint.alpha": {"grid": [0.5, 0.75, 0.9]}}},
    {"parameters": {"loss.beta": {"grid": [0.8, 0.9]}}},
    {"parameters": {"loss.kind": "hybrid", "loss.gamma": {"grid": [1, 10]}}},
)


def test_each_step_starts_from_the_best_of_those_before(base: Recipe) -> None:
    sweep = small_sweep(steps=STEPS, search={"kind": "grid"}, budget={})

    def accuracy(settings: dict[str, Any]) -> float:
        return {0.75: 0.3}.get(settings["phases.joint.alpha"], 0) + {0.8: 0.2}.get(settings.get("loss.beta", 0), 0)

    made = run_through(SweepPlan(sweep, base, []), accuracy)
    assert [record.step for record in made] == [0, 0, 0, 1, 1, 2, 2]
    assert [record.settings for record in made[3:]] == [
        {"phases.joint.alpha": 0.75, "loss.beta": 0.8},
        {"phases.joint.alpha": 0.75, "loss.beta": 0.9},
        {"phases.joint.alpha": 0.75, "loss.beta": 0.8, "loss.kind": "hybrid", "loss.gamma": 1},
        {"phases.joint.alpha": 0.75, "loss.beta": 0.8, "loss.kind": "hybrid", "loss.gamma": 10},
    ]
    resumed = SweepPlan(sweep, base, [record.model_copy() for record in made[:4]])
    assert [r.settings for r in run_through(resumed, accuracy)] == [record.settings for record in made]


def test_a_step_waits_for_the_one_before_and_needs_a_trial_that_finished(base: Recipe) -> None:
    plan = SweepPlan(small_sweep(steps=STEPS[:2], search={"kind": "grid"}, budget={}), base, [])
    for number in range(3):
        proposal = plan.next()
        assert isinstance(proposal, Proposal)
        plan.add(TrialRecord(number=number, settings=proposal.settings))
    assert plan.next() is NoTrial.WAIT
    for number in range(3):
        plan.records[number] = ended(plan.records[number], None)
        plan.over(plan.records[number])
    assert plan.next() is NoTrial.OVER
