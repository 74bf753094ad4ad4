"""Running the workers with Ray Train, showing what they say, and telling why they stopped."""

import shutil
import textwrap
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn, Protocol

import ray
from ray.exceptions import RayActorError
from ray.train import FailureConfig, RunConfig, ScalingConfig, WorkerGroupError
from ray.train.torch import TorchTrainer

from distxml.capacity import CapacityWatch
from distxml.config import Recipe
from distxml.config.recipe import ScalingSettings
from distxml.config.run_folder import RunFolder
from distxml.errors import ERRORS, UserError, cause_of
from distxml.files import write_whole
from distxml.monitoring.event_queue import EventQueue, EventReader
from distxml.monitoring.events import Event, FailedEvent, NoticeEvent
from distxml.ray_private.training import TrainedHere, cause_of_failure
from distxml.registry import Address
from distxml.signals import Interrupted, StopRequest
from distxml.training.run_claim import Claim
from distxml.training.worker_task import WorkerTask

SECONDS_BETWEEN_READS = 0.25
SECONDS_PER_READ = 2.0
"""The longest that a Ctrl-C waits for the display."""
SECONDS_FOR_LAST_READ = 30.0
WORKERS_NAMED = 8


class Display(Protocol):
    """What shows, or uses, the events of a run in the driver's process; called in a thread of its own."""

    def show(self, event: Event) -> None: ...


def fit(claimed: Claim, run: RunFolder, stop: StopRequest, scores: Address, display: Display) -> None:
    """Train to the end of the joint phase, lost workers replaced.

    Args:
        claimed: recipe, dataset, attempt and notices.
        run: its folder.
        stop: tells of Ctrl-C and SIGTERM.
        scores: address of the `ScoresMaker` that scores explanations in the workers.
        display: gets the run's events.

    Raises:
        UnrecoverableError: the settings lead nowhere.
        UserError: training stopped, for a reason that the user can mend or for another, which is in `run.failure`.
        Interrupted: somebody asked to stop; Ray is shut down, and the workers with it.
    """
    event_queue = EventQueue.open(claimed.notices)
    with _watch(event_queue, claimed.recipe.scaling, display) as to_mend:
        error = _error_of(_trainer(claimed, run, event_queue, stop, scores).fit)
    if error and stop.signal:
        ray.shutdown()
        raise Interrupted(f"interrupted; the same command resumes from there: run {run}", 128 + stop.signal)
    to_mend = to_mend or _users_own(error)
    if to_mend:  # also without an error: workers that are started again after it return at once
        raise to_mend[0]
    if error:
        _explain(error, run)
    shutil.rmtree(run.ray, ignore_errors=True)
    run.failure.unlink(missing_ok=True)
    run.upload(run.failure)


def _error_of(call: Callable[[], object]) -> Exception | None:
    try:
        call()
    except Exception as error:  # Ray wraps whatever happened in a worker in errors of its own
        return error
    return None


@contextmanager
def _watch(event_queue: EventQueue, scaling: ScalingSettings, display: Display) -> Iterator[list[UserError]]:
    """Show events until the block ends; collects what the user has to mend."""
    to_mend: list[UserError] = []
    over, reader = threading.Event(), EventReader(event_queue)

    def read(seconds: float) -> None:
        for event in reader.take(seconds):
            if isinstance(event, FailedEvent):
                to_mend.append(ERRORS[event.cause](event.message))
            else:
                display.show(event)

    def keep_reading() -> None:
        capacity = CapacityWatch(scaling)
        while not over.wait(SECONDS_BETWEEN_READS):
            read(SECONDS_PER_READ)
            for message in capacity.changes():
                display.show(NoticeEvent(0, message))

    thread = threading.Thread(target=keep_reading, daemon=True)
    thread.start()
    try:
        yield to_mend
    finally:  # nobody may talk to Ray any more when it is shut down: it would end the process
        over.set()
        thread.join()
    read(SECONDS_FOR_LAST_READ)


class _Trainer(TrainedHere, TorchTrainer):
    """Ray Train's, except for what ends it and what it starts beside the workers."""


def _trainer(claimed: Claim, run: RunFolder, event_queue: EventQueue, stop: StopRequest, scores: Address) -> _Trainer:
    recipe, scaling = claimed.recipe, claimed.recipe.scaling
    task = WorkerTask(
        recipe=recipe.model_dump_json(),
        run=str(run),
        dataset_sha256=claimed.dataset_sha256,
        event_queue=event_queue,
        attempt=claimed.attempt,
        scores=scores,
    )
    trainer = _Trainer(
        task.run_on_this_rank,  # not its `train_loop_config`, which the controller reads too
        scaling_config=ScalingConfig(
            num_workers=scaling.workers,
            use_gpu=scaling.gpus_per_worker > 0,
            resources_per_worker=_resources(recipe),
        ),
        run_config=RunConfig(
            name=claimed.attempt,
            storage_path=str(run.ray),
            failure_config=FailureConfig(max_failures=scaling.max_failures),
        ),
    )
    trainer.stop = stop
    return trainer


def _resources(recipe: Recipe) -> dict[str, float]:
    scaling = recipe.scaling
    resources: dict[str, float] = {"CPU": scaling.cpus_per_worker}
    return resources | ({"GPU": scaling.gpus_per_worker} if scaling.gpus_per_worker else {})


def _users_own(error: Exception | None) -> list[UserError]:
    """What the workers say that the user has to mend, where the event queue was lost on the way."""
    failures = error.worker_failures.values() if isinstance(error, WorkerGroupError) else []
    users_own = [failure for failure in failures if isinstance(failure, UserError)]
    return [ERRORS[cause_of(one)](str(one)) for one in users_own]


def _explain(error: Exception, run: RunFolder) -> NoReturn:
    write_whole(run.failure, "".join(traceback.format_exception(error)))
    run.upload(run.failure)
    raise UserError(
        f"training stopped ({_reason(error)}); details: {run.named(run.failure)}; the same command resumes from there"
    ) from None


def _reason(error: Exception) -> str:
    """The worker that was lost, where one was: its neighbours then fail too, for want of it."""
    failures = error.worker_failures if isinstance(error, WorkerGroupError) else {}
    lost = [rank for rank, failure in failures.items() if _is_death(failure)]
    if lost:
        ranks = " and ".join(str(rank) for rank in sorted(lost)[:WORKERS_NAMED])
        return f"{len(lost)} of the workers died, rank {ranks}: killed, out of memory, or its node lost"
    return textwrap.shorten(str(error).strip().splitlines()[-1], 300)


def _is_death(failure: Exception) -> bool:
    """Ray says either that an actor died or that a health check failed, because the actor died."""
    return isinstance(cause_of_failure(failure), RayActorError)
