"""Small sweeps for tests: settings, recipes, records."""

from pathlib import Path
from typing import Any

from distxml.config import Recipe
from distxml.config.phases import PhaseName
from distxml.config.sweep import SweepSettings
from distxml.tuning.records import TrialRecord
from tests.unit.training.small_training import small_recipe

ACCURACY = {"metrics": {"accuracy": {"goal": "max"}}}


def small_sweep(**content: Any) -> SweepSettings:
    """A sweep over β unless told otherwise."""
    plain: dict[str, Any] = {
        "name": "small",
        "recipe": "polygons",
        "objective": ACCURACY,
        "search": {"kind": "random"},
        "budget": {"trials": 6},
    }
    if "steps" not in content:
        plain["parameters"] = {"loss.beta": {"uniform": [0.5, 1]}}
    return SweepSettings.model_validate(plain | content)


def base_recipe(folder: Path, *overrides: str) -> Recipe:
    """A recipe whose dataset exists."""
    return small_recipe(folder, *overrides)


def ended(record: TrialRecord, accuracy: float | None, status: str = "finished") -> TrialRecord:
    """The record of a trial that is over; without an accuracy it failed."""
    return record.model_copy(
        update={
            "status": status if accuracy is not None else "failed",
            "metrics": {} if accuracy is None else {"accuracy": accuracy},
            "score": accuracy,
            "epochs": dict(zip(PhaseName, (1, 1, 3), strict=True)),
        }
    )
