"""`benchmarks/stability.py` passes what it should, and moves the rates that it should."""

import pytest

from distxml.config import Recipe, load_settings
from tests.unit.benchmarks.test_train import benchmark

GOOD = {"accuracy": 0.95, "heat_inside": 0.31, "heat_outside": 0.1, "aopc": 0.3, "aopc_random": 0.2}


@pytest.mark.parametrize(
    "bad",
    [
        {"accuracy": 0.94},
        {"heat_outside": 0.2},
        {"aopc": 0.2},
        {"heat_inside": float("nan")},
        {"failure": "distxml: error: no"},
    ],
)
def test_what_passes(bad: dict) -> None:
    outcome = benchmark("stability").Outcome
    assert outcome(seed=0, factor=1.0, **GOOD).passes
    assert not outcome(seed=0, factor=1.0, **GOOD | bad).passes
    assert not outcome(seed=0, factor=1.0).passes, "nothing was measured"


def test_only_the_explainer_learns_faster() -> None:
    before = load_settings(Recipe, "polygons", [])
    after = load_settings(Recipe, "polygons", list(benchmark("stability").rates(before, 2.0)))
    for name, one in before.phases.items():
        other = after.phases[name]
        assert other.lr_explainer == 2 * one.lr_explainer
        assert one.model_copy(update={"lr_explainer": 0}) == other.model_copy(update={"lr_explainer": 0})
