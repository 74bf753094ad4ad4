import numpy as np
import pytest

from distxml.config import Recipe
from distxml.monitoring.phase_figures import PhaseFigures
from tests.unit.training.small_training import SHORT, events, small_recipe, small_trainer


@pytest.mark.parametrize(
    ("confusion", "expected"),
    [([[3, 1], [0, 4]], (7 / 8, 1 / 2)), ([[6, 0], [2, 0]], (6 / 8, 6 / 8)), ([[0, 0], [5, 0]], (0.0, 1.0))],
)
def test_accuracy_and_majority_baseline(confusion: list[list[int]], expected: tuple[float, float]) -> None:
    figures = PhaseFigures(("no", "yes"), np.array(confusion), *(np.zeros((2, 127), np.int64),) * 4)
    assert (figures.accuracy(), figures.majority_baseline()) == expected


def told(recipe: Recipe) -> list[str]:
    return [event["message"] for event in events(recipe, "notice") if "most common class" in event["message"]]


def test_a_classifier_that_has_learnt_nothing_is_told(tmp_path) -> None:
    frozen = ("phases.classifier.lr_classifier=1e-9", "phases.joint.lr_classifier=1e-9", "optimizer.min_lr=0")
    recipe = small_recipe(tmp_path, *SHORT, *frozen)
    small_trainer(recipe).fit()
    first, third = told(recipe)
    assert (
        first.startswith("the classifier phase ended, but ")
        and "change phases.classifier.lr_classifier (now 1e-09), or let it" in first
    )
    assert (
        third.startswith("the joint phase ended, but ")
        and "raise phases.joint.alpha" in third
        and "its mean is 0." in third
    )
