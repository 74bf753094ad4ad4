"""What may differ from the run's recipe when it is evaluated. Imports neither torch nor Ray."""

from pathlib import Path

from distxml.config.base import Settings
from distxml.config.evaluation import EvaluationSettings
from distxml.config.load import override_settings
from distxml.config.locations import is_uri
from distxml.config.recipe import DatasetSettings, Recipe, ScalingSettings
from distxml.errors import UserError


class EvaluationRequest(Settings):
    """The part of a recipe that does not change what was trained."""

    dataset: DatasetSettings
    """The dataset, where it lies now."""
    evaluation: EvaluationSettings
    """What is measured."""
    scaling: ScalingSettings
    """Workers that measure it."""


def runs_and_overrides(words: list[str]) -> tuple[list[str], list[str]]:
    """Which words of a command name runs, by path or URI, the first at least, and which are settings.

    A word with `=` is a setting, unless there is a folder of that name or it is a URI.

    Raises:
        UserError: a word is neither a folder nor a setting.
    """
    overrides = [word for word in words[1:] if "=" in word and not _is_place(word)]
    places = [word for word in words if word not in overrides]
    for word in places[1:]:
        if not _is_place(word):
            raise UserError(f"{word}: is neither the folder of a run nor a setting; write settings as a.b=value")
    return places, overrides


def _is_place(word: str) -> bool:
    return is_uri(word.partition("=")[0]) or Path(word).is_dir()


def override_recipe(recipe: Recipe, overrides: list[str], origin: str) -> Recipe:
    """The run's recipe with other evaluation, scaling or dataset.path.

    Raises:
        UserError: an override is wrong, or names a setting that training has fixed.
    """
    for override in overrides:
        key = override.partition("=")[0]
        if "=" in override and key.split(".")[0] not in EvaluationRequest.model_fields:
            raise UserError(
                f"override {key}: training has fixed it; only evaluation.*, scaling.* and dataset.path can be set here"
            )
    request = EvaluationRequest(dataset=recipe.dataset, evaluation=recipe.evaluation, scaling=recipe.scaling)
    changed = override_settings(request, overrides, origin)
    return recipe.model_copy(update={name: getattr(changed, name) for name in EvaluationRequest.model_fields})
