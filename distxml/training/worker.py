"""What each Ray Train worker runs."""

import ray.train
import ray.train.torch
import torch

from distxml.config import Recipe
from distxml.config.run_folder import RunFolder
from distxml.config.seeds import seed_from
from distxml.data.loader import Loader, Loaders
from distxml.data.sampler import Rank
from distxml.data.schema import Dataset, Split, reopen_dataset
from distxml.errors import UserError, cause_of, is_disk_full, reason_of
from distxml.losses import class_weights
from distxml.models.checkpoint import build_empty_model, build_model
from distxml.monitoring.events import FailedEvent, NoticeEvent
from distxml.registry import load
from distxml.storage.runs import run_of_worker
from distxml.training.callbacks.context import CallbackContext
from distxml.training.callbacks.registry import make_callbacks
from distxml.training.checkpoints import Checkpoints
from distxml.training.compute import prepare, set_determinism
from distxml.training.preflight import model_card
from distxml.training.run_claim import mark_finished
from distxml.training.state import TrainState
from distxml.training.trainer import Trainer
from distxml.training.worker_task import WorkerTask

PARTS: tuple[Split, Split] = ("train", "val")


def train_worker(task: WorkerTask) -> None:
    """Train on this rank."""
    if task.event_queue.has_failed():
        return  # a user's mistake does not go away by trying again; the driver tells
    try:
        _train_in_place(Recipe.model_validate_json(task.recipe), task)
    except OSError as error:
        _give_up_if_full(error, task)
        raise
    except UserError as error:
        task.event_queue.fail(FailedEvent(str(error), cause_of(error)))
        raise


def _train_in_place(recipe: Recipe, task: WorkerTask) -> None:
    dataset = reopen_dataset(recipe.dataset.path, task.dataset_sha256)
    context = ray.train.get_context()
    rank = Rank(context.get_world_rank(), context.get_world_size())

    def tell(message: str) -> None:
        task.event_queue.put(NoticeEvent(0, message))

    with run_of_worker(task.run, task.attempt, is_first=rank.is_first, notify=tell) as run:
        _train(recipe, run, task, dataset, rank)


def _train(recipe: Recipe, run: RunFolder, task: WorkerTask, dataset: Dataset, rank: Rank) -> None:
    torch.set_num_threads(recipe.scaling.cpus_per_worker)
    set_determinism(recipe.compute)
    device = ray.train.torch.get_device()
    assert isinstance(device, torch.device)
    data = _loaders(recipe, dataset, rank, device)
    checkpoints = Checkpoints(run, model_card(recipe, dataset), task.attempt)
    torch.manual_seed(seed_from("model", recipe.run.seed))  # the same weights on every rank
    resume_point = checkpoints.find_newest_together(rank.is_first, device)
    build = build_model if resume_point.checkpoint is None else build_empty_model
    model = prepare(build(checkpoints.card), recipe.compute, device)
    weights = class_weights(recipe.loss.class_weights, dataset.metadata.class_counts("train"))
    callbacks = make_callbacks(
        CallbackContext(
            recipe=recipe,
            data=data,
            checkpoints=checkpoints,
            state=TrainState() if resume_point.checkpoint is None else checkpoints.state(resume_point.checkpoint),
            event_queue=task.event_queue,
            scores=load(task.scores)(recipe, data.val),
        )
    )
    trainer = Trainer(
        recipe=recipe,
        model=model,
        class_weights=None if weights is None else weights.to(device),
        data=data,
        checkpoints=checkpoints,
        resume_point=resume_point,
        notices=task.event_queue.take_notices() if rank.is_first else [],
        callbacks=callbacks,
    )
    trainer.fit()
    callbacks.on_end()
    if rank.is_first:
        mark_finished(run)


def _loaders(recipe: Recipe, dataset: Dataset, rank: Rank, device: torch.device) -> Loaders:
    gpu = device.index if device.type == "cuda" else None
    train, val = (
        Loader(dataset, part, recipe.loader, rank, recipe.run.seed, cache=recipe.dataset.cache, gpu=gpu)
        for part in PARTS
    )
    return Loaders(train, val)


def _give_up_if_full(error: OSError, task: WorkerTask) -> None:
    """Trying again does not help against a full disk: the driver tells the user."""
    if is_disk_full(error):
        remedy = "free some space, then the same command resumes"
        message = f"run {task.run}: cannot be written ({reason_of(error)}); {remedy}"
        task.event_queue.fail(FailedEvent(message, "infrastructure"))
