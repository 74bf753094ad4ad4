"""The driver of a run: claims its folder, starts Ray Train, shows what the workers say."""

import shutil
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from filelock import FileLock, Timeout
from ray.exceptions import RayError
from ray.train import FailureConfig, RunConfig, ScalingConfig
from ray.train.torch import TorchTrainer

from distxml.cluster import connect
from distxml.config import Recipe
from distxml.config.locations import absolute
from distxml.config.recipe import DatasetSettings
from distxml.config.run_folder import RunFolder
from distxml.data.schema import Dataset
from distxml.errors import UserError
from distxml.models.checkpoint import CARD_NAME, check_classes, read_card
from distxml.monitoring.console import TrainingConsole
from distxml.monitoring.events import FailedEvent
from distxml.monitoring.mailbox import Mailbox
from distxml.training.checkpoints import PHASES
from distxml.training.preflight import check_dataset, run_one_batch
from distxml.training.run_start import check_claim, claim
from distxml.training.worker import train_worker

SECONDS_BETWEEN_LOOKS = 0.25


def train(recipe: Recipe) -> RunFolder:
    """Train a recipe to the end of its third phase; an interrupted run goes on.

    Raises:
        UserError: the settings, the dataset, the cluster or the run's folder do not allow it, or training stopped.
    """
    recipe = _with_absolute_paths(recipe)
    run = RunFolder(recipe.run_folder)
    dataset = check_dataset(recipe)
    check_claim(run, recipe, dataset)
    _check_checkpoints(run, dataset)
    if run.finished.exists():
        return run
    run_one_batch(recipe, dataset)  # so that what cannot run stops us before anything is written
    connect(recipe.scaling.workers, recipe.scaling.cpus_per_worker, recipe.scaling.gpus_per_worker)
    with _claimed(run, recipe, dataset) as attempt:
        _fit(recipe, run, attempt)
    return run


@contextmanager
def _claimed(run: RunFolder, recipe: Recipe, dataset: Dataset) -> Iterator[str]:
    """Hold the run's folder, so that nobody else trains in it; gives the token of this attempt."""
    lock = FileLock(run.lock, timeout=0)
    try:
        run.path.mkdir(parents=True, exist_ok=True)
        lock.acquire()
        attempt = claim(run, recipe, dataset)
    except Timeout:
        raise UserError(f"run {run.path}: another process is training it; wait for it or set run.name=NAME") from None
    except OSError as error:
        reason = error.strerror or error
        raise UserError(f"run {run.path}: cannot be written ({reason}); choose another run.folder") from None
    try:
        yield attempt
    finally:
        lock.release()


def _fit(recipe: Recipe, run: RunFolder, attempt: str) -> None:
    mailbox = Mailbox.open()
    config = {"recipe": recipe.model_dump_json(), "run": str(run.path), "mailbox": mailbox, "attempt": attempt}
    scaling = recipe.scaling
    trainer = TorchTrainer(
        train_worker,
        train_loop_config=config,
        scaling_config=ScalingConfig(
            num_workers=scaling.workers,
            use_gpu=scaling.gpus_per_worker > 0,
            resources_per_worker=_resources(recipe),
        ),
        run_config=RunConfig(
            name=attempt, storage_path=str(run.ray), failure_config=FailureConfig(max_failures=scaling.max_failures)
        ),
    )
    with _watch(mailbox) as failures:
        try:
            trainer.fit()
            stopped = None
        except Exception:  # Ray wraps whatever happened in a worker in errors of its own
            stopped = traceback.format_exc()
    if failures.messages:
        raise UserError(failures.messages[0])
    if stopped:
        run.failure.write_text(stopped)
        reason = stopped.strip().splitlines()[-1]
        raise UserError(f"training stopped ({reason}); details: {run.failure}; the same command goes on from there")
    shutil.rmtree(run.ray, ignore_errors=True)
    run.failure.unlink(missing_ok=True)


@dataclass
class _Failures:
    messages: list[str]


@contextmanager
def _watch(mailbox: Mailbox) -> Iterator[_Failures]:
    """Show events on the terminal until the block ends; collects what the user has to mend."""
    failures, over = _Failures([]), threading.Event()
    with TrainingConsole() as console:

        def look() -> bool:
            try:
                events = mailbox.take()
            except RayError:
                return False  # the mailbox is lost; the run goes on without a display
            for event in events:
                if isinstance(event, FailedEvent):
                    failures.messages.append(event.message)
                else:
                    console.show(event)
            return True

        def keep_looking() -> None:
            while not over.wait(SECONDS_BETWEEN_LOOKS) and look():
                pass

        thread = threading.Thread(target=keep_looking, daemon=True)
        thread.start()
        try:
            yield failures
        finally:
            over.set()
            thread.join()
            look()


def _resources(recipe: Recipe) -> dict[str, float]:
    scaling = recipe.scaling
    resources: dict[str, float] = {"CPU": scaling.cpus_per_worker}
    return resources | ({"GPU": scaling.gpus_per_worker} if scaling.gpus_per_worker else {})


def _with_absolute_paths(recipe: Recipe) -> Recipe:
    """Workers have working directories of their own."""
    dataset = recipe.dataset.model_copy(update=_absolute(recipe.dataset))
    run = recipe.run.model_copy(update={"folder": recipe.run.folder.resolve()})
    pretrained = recipe.model.pretrained
    model = recipe.model.model_copy(update={"pretrained": pretrained.resolve() if pretrained else None})
    return recipe.model_copy(update={"dataset": dataset, "run": run, "model": model})


def _absolute(dataset: DatasetSettings) -> dict[str, object]:
    cache = dataset.cache.resolve() if dataset.cache else None
    return {"path": absolute(dataset.path), "cache": cache}


def _check_checkpoints(run: RunFolder, dataset: Dataset) -> None:
    """A run that goes on must meet the classes that it has learnt so far."""
    for phase in PHASES:
        folder = run.checkpoint(phase, "last")
        if (folder / CARD_NAME).is_file():
            card = read_card(folder)
            check_classes(card, dataset.metadata.classes, folder, str(dataset.folder))
