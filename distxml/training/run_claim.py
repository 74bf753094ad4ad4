"""A run's folder: claimed with its dataset, recipe, environment and the token of the attempt; marked when complete."""

import json
import math
import os
import platform
import sys
import uuid
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import ray
import torch

from distxml import __version__
from distxml.config import Recipe
from distxml.config.run_folder import RunFolder
from distxml.data.same_data import check_same_data
from distxml.data.schema import Dataset
from distxml.errors import UserError
from distxml.files import is_unfinished, remove_unfinished, write_whole

EARLIER = "earlier"
"""Key in environment.json of the environments of earlier starts, the oldest first."""

_OWN_NAMES = (".lock", "dataset.json")
"""What a claim that was interrupted may have left before there was a run."""

FREE_TO_CHANGE = (
    "scaling",
    "evaluation",
    "dataset",
    "run.folder",
    "run.checkpoint_steps",
    "run.checkpoint_minutes",
    "run.profile",
    "run.gallery",
    "loader.threads",
    "loader.prefetch",
    "compute.micro_batch",
    "compute.compile",
)
"""Settings that may differ when an interrupted run resumes: none changes what the run is to learn. (Numbers of workers
and micro-batches do change which images BatchNorm normalises together.)

`dataset` is a path, which may move; that the data are the same is checked by checksums."""


def check_claim(run: RunFolder, recipe: Recipe, dataset: Dataset) -> None:
    """Whether this recipe may train in this folder; writes nothing.

    Raises:
        UserError: the folder holds a run with other settings or other data, or something that is not a run.
    """
    above = next(folder for folder in run.path.parents if folder.exists())
    if not above.is_dir():
        raise UserError(f"run.folder={run.path.parent}: {above} is a file; choose another run.folder")
    if run.config.exists():
        _check_same(run, recipe)
        check_same_data(run.dataset, dataset, f"run {run}", "start another run with run.name=NAME")
    elif run.path.exists() and not run.path.is_dir():
        raise UserError(f"run {run}: is a file; choose another run.name")
    elif run.path.exists() and any(not _is_own(path) for path in run.path.iterdir()):
        raise UserError(f"run {run}: the folder is not empty and holds no run; choose another run.name")


@dataclass(frozen=True)
class Claim:
    """A run's folder that this driver alone writes to.

    Attributes:
        attempt: token of this attempt.
        recipe: what to train with.
        dataset_sha256: of the dataset that was checked: `Dataset.sha256`.
        notices: what the user should know.
    """

    attempt: str
    recipe: Recipe
    dataset_sha256: str
    notices: list[str]


def claim(run: RunFolder, recipe: Recipe, dataset: Dataset) -> Claim:
    """Claim the run's folder, which exists; the caller holds its lock.

    Raises:
        UserError: see `check_claim`.
    """
    token = run.begin()
    for path in (run.dataset, run.config, run.environment):
        run.fetch(path)  # whoever published it until now may have written since it was read
    check_claim(run, recipe, dataset)
    for path in (run.dataset, run.config, run.environment, run.attempt, run.metrics):
        remove_unfinished(run.path, path.name)
    recipe, notices = _keep_micro_batch(run, recipe)
    write_whole(run.dataset, dataset.metadata.model_dump_json(indent=2) + "\n")
    write_whole(run.config, recipe.model_dump_json(indent=2) + "\n")
    write_whole(run.environment, json.dumps(environment_with(run.environment), indent=2) + "\n")
    run.publish(run.dataset, run.config, run.environment)
    attempt = token or uuid.uuid4().hex
    write_whole(run.attempt, attempt)
    return Claim(attempt, recipe, dataset.sha256, notices)


def mark_finished(run: RunFolder) -> None:
    """The last phase is over: nobody trains in this folder any more."""
    write_whole(run.finished, json.dumps({"finished": datetime.now(UTC).isoformat("T", "seconds")}) + "\n")
    run.publish(run.finished, run.metrics)


def _keep_micro_batch(run: RunFolder, recipe: Recipe) -> tuple[Recipe, list[str]]:
    """With fewer workers than before, each worker still computes no more images at once than it did then.

    The global batch stays the same, and memory that sufficed for a worker's part still suffices. The classifier's
    BatchNorm continues with groups of the same size; the explainer's, which normalised the whole global batch, now
    normalises each micro-batch by itself.
    """
    before = run.recipe() if run.config.exists() else recipe
    then, now, batch = before.scaling.workers, recipe.scaling.workers, recipe.loader.batch_size
    limit = recipe.compute.micro_batch or before.compute.micro_batch or math.ceil(batch / then)
    splits = math.ceil(batch / now) > limit
    if splits:
        recipe = recipe.model_copy(update={"compute": recipe.compute.model_copy(update={"micro_batch": limit})})
    if then == now:
        return recipe, []
    note = f", computed in micro-batches of {limit} images, which BatchNorm normalises one by one" if splits else ""
    return recipe, [f"resumes with {now} {_workers(now)} instead of {then}; the global batch stays {batch}{note}"]


def _workers(number: int) -> str:
    return "worker" if number == 1 else "workers"


def _is_own(path: Path) -> bool:
    return path.name in _OWN_NAMES or is_unfinished(path)


def _check_same(run: RunFolder, recipe: Recipe) -> None:
    before, now = _flat(run.recipe().model_dump(mode="json")), _flat(recipe.model_dump(mode="json"))
    for key in sorted(before.keys() | now.keys()):
        free = any(key == name or key.startswith(f"{name}.") for name in FREE_TO_CHANGE)
        if not free and before.get(key) != now.get(key):
            raise UserError(
                f"run {run}: was started with {key}={before.get(key)}, not {now.get(key)}; resume with the same "
                "settings, or start another run with run.name=NAME"
            )


def _flat(tree: Any, prefix: str = "") -> dict[str, Any]:
    if isinstance(tree, dict):
        pairs = list(tree.items())
    elif isinstance(tree, list):
        pairs = list(enumerate(tree))
    else:
        return {prefix: tree}
    flat: dict[str, Any] = {}
    for key, value in pairs:
        flat.update(_flat(value, f"{prefix}.{key}" if prefix else str(key)))
    return flat


def environment_with(before: Path) -> dict[str, object]:
    """This process's environment for environment.json, with those of earlier starts.

    Args:
        before: the file as the start before this one wrote it; it may be missing or damaged.
    """
    earlier: list[object] = []
    with suppress(OSError, ValueError):
        content = json.loads(before.read_bytes())
        if isinstance(content, dict):
            earlier = [*content.pop(EARLIER, []), content]
    return _environment() | ({EARLIER: earlier} if earlier else {})


def _environment() -> dict[str, object]:
    return {
        "distxml": __version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "torchvision": version("torchvision"),  # it takes seconds to import, and not every model needs it
        "ray": ray.__version__,
        "platform": platform.platform(),
        "cpus": os.cpu_count(),
        "gpus": torch.cuda.device_count(),
        "command": " ".join(sys.argv),
        "started": datetime.now(UTC).isoformat("T", "seconds"),
    }
