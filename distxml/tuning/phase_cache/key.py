"""What a phase's end depends on: trials that agree on all of it end the phase with the same weights.

Everything counts, unless it is listed here as what cannot matter.
"""

import json
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from distxml.config import Recipe
from distxml.config.phases import PhaseName
from distxml.data.schema import DatasetMetadata
from distxml.digest import digest_of, file_digest
from distxml.models.checkpoint import WEIGHTS_NAME
from distxml.tuning.phase_cache.code import code_digest

TRAINING = ("distxml.training.worker",)
"""What every rank runs; all that it imports counts."""
SCORES = ("distxml.evaluation.scoring.quick_scores",)
"""Where metrics of the joint phase come from besides."""
SHOWN = "shows what training did, which reads nothing of it"
WITHOUT_EFFECT = {
    "distxml.attribution": "post-hoc methods; training looks at the in-model heatmap alone",
    "distxml.config.sources": "how a dataset is built; its content counts by its checksums",
    "distxml.metrics": "what metrics are called and mean",
    "distxml.monitoring.confusion": SHOWN,
    "distxml.monitoring.hparams": SHOWN,
    "distxml.monitoring.overlay": SHOWN,
    "distxml.monitoring.scalars": SHOWN,
    "distxml.monitoring.tensorboard": SHOWN,
    "distxml.recipes": "the settings that are read from its files count",
    "distxml.registry": "finds code by its name; the code that it finds counts",
}
"""Code that training imports and that changes neither a weight nor a logged number, and why."""
LIBRARIES = (
    "torch",
    "torchvision",
    "numpy",
    "pyarrow",
    "albumentations",
    "opencv-python-headless",
    "nvidia-dali-cuda130",
)
"""What reads, augments and computes; DALI is not installed everywhere."""
FREE_SETTINGS = (
    "dataset",  # a path; its content counts by its checksums
    "evaluation",
    "quick_scores",  # counts in the joint phase, see `_settings`
    "loader.threads",
    "loader.prefetch",
    "scaling.max_failures",
    "run.name",
    "run.folder",
    "run.checkpoint_minutes",  # but see docs/tuning.md: the guard goes back to what was saved
    "run.profile",
    "run.gallery",
)
"""Settings that change no weight."""


@dataclass(frozen=True)
class PhaseKey:
    """A phase by what it depends on.

    Attributes:
        phase: its name.
        depends: settings, data, code.
    """

    phase: PhaseName
    depends: dict[str, Any]

    @property
    def name(self) -> str:
        """The same for the same content, wherever it is computed."""
        content = json.dumps(self.depends, sort_keys=True)
        return f"{self.phase}-{digest_of(content)[:32]}"


def phase_keys(recipe: Recipe, data: DatasetMetadata) -> dict[PhaseName, PhaseKey]:
    """The keys of a recipe's phases; each phase also depends on those before it."""
    return {phase: PhaseKey(phase, _depends(recipe, data, phase)) for phase in PhaseName}


def _depends(recipe: Recipe, data: DatasetMetadata, phase: PhaseName) -> dict[str, Any]:
    shards = [shard.sha256 for shard in data.shards if shard.split != "test"]
    settings = _settings(recipe, phase)
    return {"settings": settings, "data": shards, "classes": data.classes_sha256, "code": _code(phase)}


def _settings(recipe: Recipe, phase: PhaseName) -> dict[str, Any]:
    """Those that a phase depends on; files that they name by what is in them."""
    settings = recipe.model_dump(mode="json")
    for name in FREE_SETTINGS:
        _remove(settings, name)
    settings["phases"] = {each: settings["phases"][each] for each in phase.through}
    if phase == PhaseName.CLASSIFIER and _only_classifies(recipe):
        for name in ("kind", "beta", "gamma"):
            settings["loss"].pop(name)
    if phase == PhaseName.JOINT:
        settings["quick_scores"] = recipe.quick_scores.model_dump(mode="json")
    if recipe.warm_start is not None:
        settings["warm_start"]["checkpoint"] = file_digest(recipe.warm_start.checkpoint / WEIGHTS_NAME)
    if isinstance(recipe.model.pretrained, Path):
        settings["model"]["pretrained"] = file_digest(recipe.model.pretrained)
    return settings


def _only_classifies(recipe: Recipe) -> bool:
    """Whether the explanation loss weighs 0 in the classifier phase and its explainer stands still: β, γ and the kind
    of the loss then reach neither a gradient nor the validation loss that schedules and the choice of the best use."""
    return recipe.phases.classifier.alpha == 1 and recipe.phases.classifier.lr_explainer == 0


def _remove(tree: dict[str, Any], name: str) -> None:
    *parents, last = name.split(".")
    for parent in parents:
        tree = tree[parent]
    tree.pop(last)


def _code(phase: PhaseName) -> dict[str, str]:
    entries = TRAINING + SCORES if phase == PhaseName.JOINT else TRAINING
    return {"distxml": code_digest(entries, tuple(WITHOUT_EFFECT))} | _versions()


@cache
def _versions() -> dict[str, str]:
    found: dict[str, str] = {}
    for name in LIBRARIES:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found
