"""A run as one row of TensorBoard's HParams table: the settings that matter, and what they led to."""

from tensorboard.compat.proto.summary_pb2 import Summary  # pyright: ignore[reportAttributeAccessIssue]

from distxml.config import Recipe
from distxml.monitoring.scalars import Setting, hparam_summaries

SHOWN_METRICS = ("accuracy", "total", "explanation", "sparsity", "black", "white", "flips_above_random")
"""Metrics of the validation split that the table shows the last value of."""


def validation_tag(name: str) -> str:
    """The tag under which `TensorBoard.write_epoch` writes a metric of the validation split."""
    return f"{name}/val"


def run_summaries(recipe: Recipe) -> tuple[Summary, Summary, Summary]:
    """What the plugin needs to know: the table's columns, the run's settings; and, at its end, that it has ended."""
    return hparam_summaries(settings_that_matter(recipe), {validation_tag(name): name for name in SHOWN_METRICS})


def settings_that_matter(recipe: Recipe) -> dict[str, Setting]:
    """By their names in a recipe; the same names whatever the recipe, so that runs can be compared."""
    height, width = recipe.loader.image_size
    settings: dict[str, Setting] = {
        "model.classifier": recipe.model.classifier,
        "model.init_bias": recipe.model.init_bias,
        "loader.image_size": f"{height}×{width}",
        "loader.batch_size": recipe.loader.batch_size,
        "loss.kind": recipe.loss.kind,
        "loss.beta": recipe.loss.beta,
        "loss.gamma": recipe.loss.gamma,
        "optimizer.name": recipe.optimizer.name,
        "optimizer.momentum": recipe.optimizer.momentum,
        "optimizer.weight_decay": recipe.optimizer.weight_decay,
        "optimizer.clip_norm": _or_none(recipe.optimizer.clip_norm),
        "scaling.workers": recipe.scaling.workers,
        "run.seed": recipe.run.seed,
    }
    for name, phase in recipe.phases.items():
        settings |= {
            f"phases.{name}.alpha": phase.alpha,
            f"phases.{name}.lr_classifier": phase.lr_classifier,
            f"phases.{name}.lr_explainer": phase.lr_explainer,
            f"phases.{name}.epochs": _or_none(phase.epochs),
            f"phases.{name}.until": _or_none(phase.until),
            f"phases.{name}.schedule": phase.schedule,
        }
    return settings


def _or_none(value: float | None) -> str:
    """In words: the plugin wants one type a column, and leaves out what is None."""
    return "none" if value is None else f"{value:g}"
