"""Training of a tiny model in this process: real loaders, checkpoints and logs; no Ray."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from distxml.config import Recipe, load_settings
from distxml.config.phases import PhaseName
from distxml.config.run_folder import RunFolder
from distxml.config.seeds import seed_from
from distxml.data.loader import Loader, Loaders
from distxml.data.sampler import Rank
from distxml.data.schema import open_dataset
from distxml.models.checkpoint import WEIGHTS_NAME, build_model
from distxml.monitoring.events import Event
from distxml.monitoring.metrics_log import read_metrics
from distxml.training.callbacks.context import CallbackContext, ScoresMaker
from distxml.training.callbacks.quick_scores import no_scores
from distxml.training.callbacks.registry import make_callbacks
from distxml.training.checkpoints import Checkpoints
from distxml.training.preflight import model_card
from distxml.training.run_claim import claim
from distxml.training.state import TrainState
from distxml.training.trainer import Trainer
from tests.small_dataset import noise_row, write_dataset

SMALL = (
    "loader.image_size=16",
    "loader.batch_size=4",
    "loader.augmentation={preset: flips, probability: 0.5}",
    "model.classifier=small_resnet",
    "model.width=2",
    "model.explainer_width=2",
    "phases.classifier.epochs=2",
    "phases.explainer.epochs=2",
    "phases.joint.epochs=2",
    "phases.classifier.until=null",
    "phases.explainer.until=null",
    "scaling.workers=1",
    "run.gallery=0",
    "run.checkpoint_minutes=null",
    "run.name=small",
)
SHORT = tuple(f"phases.{phase}.epochs=1" for phase in PhaseName)
STEPS_PER_EPOCH = 6


@dataclass
class KeptEvents:
    """Takes the place of the event queue to the driver."""

    events: list[Event] = field(default_factory=list)
    on_event: Callable[[Event], None] = lambda event: None

    def put(self, event: Event) -> None:
        self.events.append(event)
        self.on_event(event)


def small_recipe(folder: Path, *overrides: str) -> Recipe:
    """A recipe whose dataset, 24 images of noise to train on, is written once."""
    if not (folder / "dataset").exists():
        rows = [noise_row(number, side=16) for number in range(40)]
        write_dataset(folder / "dataset", {"train": rows[:24], "val": rows[24:32], "test": rows[32:]})
    places = (f"dataset.path={folder / 'dataset'}", f"run.folder={folder / 'runs'}")
    return load_settings(Recipe, "polygons", [*places, *SMALL, *overrides])


def small_trainer(
    recipe: Recipe,
    event_queue: KeptEvents | None = None,
    scores: ScoresMaker = no_scores,
    run: RunFolder | None = None,
) -> Trainer:
    """What a worker of one would run; claims the run's folder, as the driver does."""
    torch.set_num_threads(1)
    dataset = open_dataset(recipe.dataset.path)
    run = run or RunFolder(recipe.run_folder)
    run.path.mkdir(parents=True, exist_ok=True)
    claimed = claim(run, recipe, dataset)
    recipe, seed = claimed.recipe, recipe.run.seed
    data = Loaders(*(Loader(dataset, part, recipe.loader, Rank(), seed) for part in ("train", "val")))
    checkpoints = Checkpoints(run, model_card(recipe, dataset), claimed.attempt)
    torch.manual_seed(seed_from("model", seed))
    found = checkpoints.find_newest_together(True, torch.device("cpu"))
    context = CallbackContext(
        recipe=recipe,
        data=data,
        checkpoints=checkpoints,
        state=checkpoints.state(found.checkpoint) if found.checkpoint else TrainState(),
        event_queue=event_queue or KeptEvents(),
        scores=scores(recipe, data.val),
    )
    return Trainer(
        recipe=recipe,
        model=build_model(checkpoints.card),
        data=data,
        checkpoints=checkpoints,
        resume_point=found,
        notices=claimed.notices,
        callbacks=make_callbacks(context),
    )


def weights_of(recipe: Recipe) -> dict[str, Tensor]:
    """Of a finished run."""
    return load_file(RunFolder(recipe.run_folder).checkpoint(PhaseName.JOINT, "last") / WEIGHTS_NAME)


def events(recipe: Recipe, kind: str) -> list[dict]:
    """The run's logged events of one kind."""
    return [event for event in read_metrics(RunFolder(recipe.run_folder).metrics) if event["event"] == kind]
