"""What may differ from the run's recipe when it is evaluated. Imports neither torch nor Ray."""

from distxml.config.base import Settings
from distxml.config.evaluation import EvaluationSettings
from distxml.config.load import override_settings
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
