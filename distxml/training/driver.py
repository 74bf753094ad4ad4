"""The driver of a run: checks what it can, claims its folder, joins Ray, trains."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from distxml.checksums import damage_of_files
from distxml.cluster import connect
from distxml.config import Recipe
from distxml.config.absolute_paths import with_absolute_paths
from distxml.config.run_folder import RunFolder
from distxml.data.schema import Dataset
from distxml.errors import InfrastructureError, reason_of
from distxml.files import present_folder
from distxml.locks import claimed
from distxml.models.checkpoint import CARD_NAME, check_classes, read_card
from distxml.registry import Address
from distxml.signals import interruptible, stop_requests
from distxml.storage.runs import run_to_train
from distxml.training.checkpoints import NEWEST_FIRST
from distxml.training.preflight import check_dataset, run_one_batch
from distxml.training.ray_train import Display, fit
from distxml.training.run_claim import Claim, check_claim, claim


@dataclass(frozen=True)
class TrainHooks:
    """What a caller adds to a run, in the driver's process.

    Attributes:
        display: gets the run's events.
        check_data: called with the dataset before anything else is done with it; raises where it is not the right one.
        prepare: called with the dataset once the run's folder is claimed, before checkpoints to resume from are looked
            for; returns whether there is anything left to train.
        patience: seconds to wait for another process that holds the run's folder.
        waits_for_nodes: whether workers wait where the cluster is too small; otherwise the run is refused.
        scores: address of the `ScoresMaker` that scores explanations in the workers.
    """

    display: Display
    check_data: Callable[[Dataset], None] = lambda dataset: None
    prepare: Callable[[RunFolder, Recipe, Dataset], bool] = lambda run, recipe, dataset: True
    patience: float = 0
    waits_for_nodes: bool = False
    scores: Address = "distxml.evaluation.scoring.quick_scores:quick_scores"


def train(recipe: Recipe, hooks: TrainHooks) -> bool:
    """Train a recipe to the end of its joint phase; an interrupted run resumes.

    Returns:
        False where it was complete before.

    Raises:
        UnrecoverableError: the settings lead nowhere.
        UserError: the settings, the dataset, the cluster or the run's folder do not allow it, or training stopped.
        Interrupted: Ctrl-C or SIGTERM.
    """
    recipe = with_absolute_paths(recipe)
    interrupted = f"interrupted; the same command resumes from there: run {recipe.run_place}"
    with interruptible(interrupted), run_to_train(recipe.run_place) as run:
        return _train(run, recipe, hooks)


def _train(run: RunFolder, recipe: Recipe, hooks: TrainHooks) -> bool:
    dataset = check_dataset(recipe)
    hooks.check_data(dataset)
    check_claim(run, recipe, dataset)
    resumes = has_checkpoints(run, dataset)
    if run.finished.exists():
        return False
    if not resumes:
        run_one_batch(recipe, dataset)  # so that what cannot run stops us before anything is written
    if not hooks.waits_for_nodes:
        connect(recipe.scaling.workers, recipe.scaling.cpus_per_worker, recipe.scaling.gpus_per_worker)
    with stop_requests() as stop, _claimed(run, recipe, dataset, hooks.patience) as granted:
        if hooks.prepare(run, granted.recipe, dataset):
            fit(granted, run, stop, hooks.scores, hooks.display)
    return True


@contextmanager
def _claimed(run: RunFolder, recipe: Recipe, dataset: Dataset, patience: float) -> Iterator[Claim]:
    """Hold the run's folder, so that nobody else trains in it."""
    name, remedy = f"run {run}", "choose another run.folder"
    busy = "another process is training it; wait for it or set run.name=NAME"
    with claimed(run.lock, name, busy, remedy, patience):
        try:
            ours = claim(run, recipe, dataset)
        except OSError as error:
            raise InfrastructureError(f"{name}: cannot be written ({reason_of(error)}); {remedy}") from None
        yield ours


def has_checkpoints(run: RunFolder, dataset: Dataset) -> bool:
    """Whether there is something to resume from; the dataset must have the classes that it was trained on.

    What is damaged is passed over, as it is when training resumes.
    """
    for each in NEWEST_FIRST:
        run.fetch(run.checkpoint(each.phase, each.name), CARD_NAME)
    folders = [present_folder(run.checkpoint(each.phase, each.name)) for each in NEWEST_FIRST]
    known = [folder for folder in folders if damage_of_files(folder, [CARD_NAME]) is None]
    for folder in known:
        check_classes(read_card(folder), dataset.metadata.classes, folder, str(dataset.folder))
    return bool(known)
