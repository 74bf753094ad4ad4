"""Datasets, recipes and in-process trainers for `benchmarks/train.py`."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import torch
from loader_material import photos, polygons

from distxml.config import Recipe, load_settings
from distxml.config.phases import PhaseName
from distxml.config.run_folder import RunFolder
from distxml.config.seeds import seed_from
from distxml.data.batch import Batch
from distxml.data.loader import Loader, Loaders
from distxml.data.sampler import Rank
from distxml.data.schema import Dataset, open_dataset
from distxml.models.checkpoint import build_model
from distxml.models.joint import JointModel
from distxml.training.callbacks.context import CallbackContext
from distxml.training.callbacks.quick_scores import no_scores
from distxml.training.callbacks.registry import make_callbacks
from distxml.training.checkpoints import Checkpoints
from distxml.training.compute import prepare
from distxml.training.preflight import model_card
from distxml.training.run_claim import claim
from distxml.training.state import TrainState
from distxml.training.trainer import Trainer

CPU = torch.device("cpu")
NEVER_ENDS_EARLY = (
    *(f"phases.{phase}.until=null" for phase in PhaseName),
    "guard.black_share=null",
    "guard.same_below=null",
    "guard.white_steps=null",
)
"""A phase makes as many epochs as it is told, whatever becomes of the heatmap."""
RESNET = ("model.classifier=resnet18", "model.explainer_width=16", "loader.image_size=128", "loader.batch_size=8")


@dataclass(frozen=True)
class Work:
    """Something to train.

    Attributes:
        name: in the output.
        recipe: packaged one that it starts from.
        overrides: of the recipe.
    """

    name: str
    recipe: str
    dataset: Dataset
    overrides: tuple[str, ...] = ()

    def settings(self, folder: Path, *overrides: str) -> tuple[str, ...]:
        """All overrides of a run below `folder`."""
        places = (f"dataset.path={self.dataset.folder}", f"run.folder={folder}")
        return (*places, "scaling.workers=1", *NEVER_ENDS_EARLY, *self.overrides, *overrides)

    def load(self, folder: Path, *overrides: str) -> Recipe:
        """The recipe of a run below `folder`."""
        return load_settings(Recipe, self.recipe, list(self.settings(folder, *overrides)))


def small_and_large(folder: Path, images: int, data: Path | None) -> list[Work]:
    """ResNet-18 at 128×128 on photographs, and the demo: polygons at 48×48 with its small network.

    Args:
        folder: where datasets are built.
        images: of the photographs' dataset; the polygons' has ten times as many. Four in five are trained on.
        data: a dataset that is used instead of the photo-like JPEGs.
    """
    photographs = photos(folder, images) if data is None else open_dataset(str(data))
    return [
        Work("photographs, resnet18, 128x128", "voc", photographs, RESNET),
        Work("polygons, small_resnet, 48x48", "polygons", polygons(folder, 10 * images)),
    ]


def fresh_model(recipe: Recipe, dataset: Dataset) -> JointModel:
    """The recipe's model as a worker makes it; always the same weights."""
    torch.manual_seed(seed_from("model", recipe.run.seed))
    return prepare(build_model(model_card(recipe, dataset)), recipe.compute, CPU)


def in_process_trainer(recipe: Recipe, dataset: Dataset) -> Trainer:
    """What a worker of one runs, with its run's folder, log, TensorBoard and checkpoints; only the driver is absent."""
    run = RunFolder(recipe.run_folder)
    run.path.mkdir(parents=True)
    claimed = claim(run, recipe, dataset)
    data = Loaders(*(Loader(dataset, part, recipe.loader, Rank(), recipe.run.seed) for part in ("train", "val")))
    checkpoints = Checkpoints(run, model_card(recipe, dataset), claimed.attempt)
    context = CallbackContext(
        recipe=recipe,
        data=data,
        checkpoints=checkpoints,
        state=TrainState(),
        event_queue=_Nobody(),
        scores=no_scores(recipe, data.val),
    )
    return Trainer(
        recipe=claimed.recipe,
        model=fresh_model(recipe, dataset),
        data=data,
        checkpoints=checkpoints,
        callbacks=make_callbacks(context),
    )


def from_memory(trainer: Trainer) -> Trainer:
    """The same trainer with batches that were decoded and augmented before."""
    loader = trainer.data.train
    kept = KeptBatches(loader, list(loader.training(0)))
    return replace(trainer, data=Loaders(cast(Loader, kept), trainer.data.val))


class KeptBatches:
    """Takes the place of a `Loader`: gives the same batches in every epoch."""

    def __init__(self, loader: Loader, batches: list[Batch]) -> None:
        self.loader = loader
        self.batches = batches

    def training(self, epoch: int, first_step: int = 0) -> Iterator[Batch]:
        """The batches from `first_step` on, whatever the epoch."""
        return iter(self.batches[first_step:])

    def __getattr__(self, name: str) -> Any:
        return getattr(self.loader, name)


class _Nobody:
    """Takes the place of the event queue to the driver."""

    def put(self, event: object) -> None:
        pass
