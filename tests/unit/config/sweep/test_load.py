"""Sweep files: those that are shipped, overrides, and errors that name what is wrong."""

from pathlib import Path

import pytest

from distxml.config import Recipe, load_settings
from distxml.config.load import with_settings
from distxml.config.sweep.load import load_sweep
from distxml.errors import UserError
from distxml.recipes import recipe_names
from distxml.tuning.plan import Proposal, SweepPlan
from distxml.tuning.records import TrialRecord
from distxml.tuning.searches import check_parameters

SMALL = """
name: small
recipe: polygons
parameters:
  loss.beta: {uniform: [0.5, 1]}
  phases.joint.alpha: {choice: [0.3, 0.5]}
search: {kind: random}
objective: {metrics: {accuracy: {goal: max}}}
budget: {trials: 4}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "small.yaml"
    path.write_text(SMALL)
    return path


def test_there_are_three() -> None:
    assert recipe_names("sweeps") == ["imagenet_hvz", "nih_nci", "polygons"]


@pytest.mark.parametrize("name", recipe_names("sweeps"))
def test_shipped_sweeps_fit_their_recipes(name: str) -> None:
    sweep = load_sweep(name, [])
    base = with_settings(load_settings(Recipe, sweep.recipe, []), sweep.settings, name)
    for parameters in sweep.all_steps:
        check_parameters(parameters, base, name)
    proposal = SweepPlan(sweep, base, []).next()
    assert isinstance(proposal, Proposal)
    with_settings(base, proposal.settings, name)


def test_the_papers_steps() -> None:
    sweep = load_sweep("imagenet_hvz", [])
    base = load_settings(Recipe, sweep.recipe, [])
    plan = SweepPlan(sweep, base, [])
    while isinstance(proposal := plan.next(), Proposal):
        record = TrialRecord(number=len(plan.records), step=proposal.step, settings=proposal.settings)
        record.status, record.score = "finished", float(len(plan.records))
        record.metrics = {"accuracy": float(len(plan.records)), "flips_above_random": 0, "pompom": 0}
        plan.add(record)
        plan.over(record)
    assert [record.step for record in plan.records].count(0) == 3
    assert sweep.settings["loss.beta"] == 1
    assert [record.settings.get("loss.beta", 1) for record in plan.records[:3]] == [1, 1, 1]
    assert [record.settings["loss.gamma"] for record in plan.records[9:]] == [10, 1, 0.01, 0.0001]


def test_overrides_of_the_sweep_and_of_the_recipe(file: Path) -> None:
    sweep = load_sweep(str(file), ["budget.trials=9", "phases.joint.epochs=3", "loss.beta=0.9", "scaling.workers=2"])
    assert sweep.budget.trials == 9
    assert sweep.settings == {"phases.joint.epochs": 3, "loss.beta": 0.9, "scaling.workers": 2}
    assert list(sweep.parameters) == ["phases.joint.alpha"], "what is given is searched no more"


def test_overrides_of_the_recipe_in_steps() -> None:
    sweep = load_sweep("imagenet_hvz", ["phases.joint.alpha=0.6", "loss.kind=unsupervised"])
    assert [list(parameters) for parameters in sweep.all_steps] == [["loss.beta"], ["loss.gamma"]]
    assert sweep.settings["phases.joint.alpha"] == 0.6 and sweep.settings["loss.kind"] == "unsupervised"


def test_something_must_be_left_to_search(file: Path) -> None:
    with pytest.raises(UserError, match=r"nothing is left to search: loss\.beta, phases\.joint\.alpha are given"):
        load_sweep(str(file), ["loss.beta=0.9", "phases.joint.alpha=0.4"])


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("scheduler: {kind: pbt}", ""), "population-based"),
        (("concurency: 2", ""), "did you mean concurrency"),
        (("", "budget: {trials: 4}"), "budget.trials is missing"),
        (
            ("folder: s3://bucket/runs", ""),
            "folder: a sweep lies on a disk that every node shares",
        ),
        (("store: s3://bucket/phases", ""), "store: a sweep lies on a disk"),
        (("", "parameters:\n  loss.beta: {uniform: [0.5, 1]}\n  phases.joint.alpha: {choice: [0.3, 0.5]}"), "steps"),
        (("scheduler: {kind: asha, factor: 1}", ""), "scheduler.factor"),
        (("steps: [{parameters: {loss.beta: 0.5}}]", ""), "either parameters or steps"),
    ],
)
def test_errors_name_the_field(file: Path, change: tuple[str, str], told: str) -> None:
    added, removed = change
    file.write_text(SMALL.replace(removed, "") + added if removed else SMALL + added)
    with pytest.raises(UserError, match=told):
        load_sweep(str(file), [])


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ("{loss.bta: {uniform: [0, 1]}}", "loss.bta: unknown key"),
        ("{loss.beta: {uniform: [0, 2]}}", "loss.beta: Input should be less than or equal to 1"),
        ("{phases.2.alpha: 0.5}", "phases.2: unknown key"),
        ("{loss.kind: {choice: [hybrid, hybird]}}", "loss.kind"),
        ("{warm_start.checkpoint: {choice: [runs/one, runs/two]}}", "checkpoint=runs/one: .* write the whole path"),
    ],
)
def test_parameters_must_be_settings_of_the_recipe(file: Path, parameters: str, told: str) -> None:
    head, _, tail = SMALL.partition("parameters:")
    file.write_text(f"{head}parameters: {parameters}\n{tail[tail.index('search:') :]}")
    sweep = load_sweep(str(file), [])
    with pytest.raises(UserError, match=told):
        check_parameters(sweep.parameters, load_settings(Recipe, "polygons", []), str(file))
