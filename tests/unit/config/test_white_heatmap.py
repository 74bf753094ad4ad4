"""Where the heatmap is one of ones: decided by what is given, decided anew when that changes."""

import pytest

from distxml.config import Recipe, load_settings
from distxml.config.load import with_settings
from distxml.config.phases import PhaseName
from distxml.errors import UserError

START = "warm_start.checkpoint=/before"


def white(recipe: Recipe) -> list[bool | None]:
    return [recipe.phases[name].white_heatmap for name in PhaseName]


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        ([], [True, False, False]),
        ([START], [False, False, False]),
        ([START, "warm_start.part=classifier"], [True, False, False]),
        ([START, "phases.classifier.white_heatmap=true"], [True, False, False]),
        (["phases.classifier.white_heatmap=false"], [False, False, False]),
        (["phases.classifier.lr_explainer=0.1"], [False, False, False]),
    ],
)
def test_white_is_decided_by_where_the_explainer_comes_from(overrides: list[str], expected: list[bool]) -> None:
    recipe = load_settings(Recipe, "polygons", overrides)
    assert white(recipe) == expected
    again = Recipe.model_validate_json(recipe.model_dump_json())
    assert white(again) == expected and again == recipe, "config.json says which"


def test_settings_that_a_sweep_changes_decide_anew() -> None:
    base = load_settings(Recipe, "polygons", [])
    assert white(with_settings(base, {"warm_start": {"checkpoint": "/before"}}, "sweep"))[0] is False
    assert white(with_settings(base, {"phases.classifier.lr_explainer": 0.1}, "sweep"))[0] is False
    started = load_settings(Recipe, "polygons", [START])
    assert white(with_settings(started, {"warm_start.part": "classifier"}, "sweep"))[0] is True
    given = load_settings(Recipe, "polygons", [START, "phases.classifier.white_heatmap=true"])
    assert white(with_settings(given, {"warm_start.part": "explainer"}, "sweep"))[0] is True, "what is given stays"


def test_a_joint_phase_that_never_sees_its_heatmap_is_refused() -> None:
    overrides = ["phases.joint.white_heatmap=true", "phases.joint.lr_explainer=0"]
    with pytest.raises(UserError, match=r"joint\.white_heatmap=true: .*must be trained under it; leave it out"):
        load_settings(Recipe, "polygons", overrides)
