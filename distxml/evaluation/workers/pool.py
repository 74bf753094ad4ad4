"""A pool of actors: each gets a task when it is free. An actor that dies is replaced, and its task is done again."""

import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import ray
from ray.exceptions import OutOfMemoryError, RayActorError

from distxml.capacity import SECONDS_TO_START, CapacityWatch, busy_cluster
from distxml.errors import UserError
from distxml.evaluation.workers.tasks import Task
from distxml.evaluation.workers.worker import ScoringWorker, WorkerInputs
from distxml.signals import StopRequest

Notify = Callable[[str], None]
"""Called with what the user should know."""
MAX_SECONDS_TO_STOP = 1.0
"""How often a stop request is looked for: a Ctrl-C waits at most this long."""
DEATHS = (RayActorError, OutOfMemoryError)
"""What Ray raises when a worker was killed, its node was lost, or it cannot be reached any more."""


class Pool:
    """Does tasks with `scaling.workers` actors, each of which reserves `scaling.cpus_per_worker` and `gpus_per_worker`.

    An actor gets its first task when it has loaded the model: so no task waits for a node that does not come back.
    """

    def __init__(self, inputs: Sequence[WorkerInputs], keys: Sequence[str], notify: Notify, stop: StopRequest) -> None:
        """A pool that has started no actor yet.

        Args:
            inputs: what every worker needs, one for each part of the tasks.
            keys: of the split's images, in their order; for messages.
            notify: called with what the user should know.
            stop: asked every `MAX_SECONDS_TO_STOP`.
        """
        self.inputs, self.keys, self.notify, self.stop = inputs, keys, notify, stop
        self.scaling = inputs[0].spec.recipe.scaling
        self._starting: dict[ray.ObjectRef, Any] = {}  # actors that load the model, by the result of loading it
        self._busy: dict[ray.ObjectRef, tuple[Any, Task]] = {}
        self._deaths: Counter[Task | None] = Counter()  # by task; None: of actors that were not ready yet
        self._capacity = CapacityWatch(self.scaling)
        self._waiting_since: float | None = None  # None: a worker was ready, or the user knows that none is

    def run(self, tasks: Sequence[Task]) -> Iterator[Task]:
        """Each task as soon as it is done; ends early when a stop is requested.

        Raises:
            UserError: a worker raised it, or workers die too often.
        """
        waiting, self._waiting_since = deque(tasks), time.monotonic()
        try:
            for _ in range(min(self.scaling.workers, len(waiting))):
                self._start()
            while waiting or self._busy:
                ended, _ = ray.wait([*self._starting, *self._busy], num_returns=1, timeout=MAX_SECONDS_TO_STOP)
                if self.stop.signal:  # workers that died may have died of it
                    return
                for ref in ended:
                    yield from self._settle(ref, waiting)
                for message in self._messages():
                    self.notify(message)
        finally:
            for actor in [*self._starting.values(), *(actor for actor, _ in self._busy.values())]:
                ray.kill(actor)

    def _messages(self) -> Iterator[str]:
        yield from self._capacity.changes()
        if self._waiting_since and time.monotonic() - self._waiting_since > SECONDS_TO_START:
            self._waiting_since = None
            yield busy_cluster()

    def _start(self) -> None:
        scaling = self.scaling
        actor = (
            ray.remote(ScoringWorker)
            .options(num_cpus=scaling.cpus_per_worker, num_gpus=scaling.gpus_per_worker, scheduling_strategy="SPREAD")
            .remote(*self.inputs)
        )
        self._starting[actor.load.remote()] = actor

    def _settle(self, ref: ray.ObjectRef, waiting: deque[Task]) -> Iterator[Task]:
        """An actor has loaded the model, has done its task, or has died."""
        actor, task = (self._starting.pop(ref), None) if ref in self._starting else self._busy.pop(ref)
        try:
            ray.get(ref)
        except DEATHS:
            ray.kill(actor)  # it may only be out of reach
            if task:
                waiting.appendleft(task)
            self._replace(task)
            return
        except UserError as error:
            raise own_error(error) from None
        if task is None:
            self._deaths[None], self._waiting_since = 0, None
        if waiting:
            following = waiting.popleft()
            self._busy[actor.score.remote(following)] = actor, following
        if task:
            yield task

    def _replace(self, task: Task | None) -> None:
        self._deaths[task] += 1
        if self._deaths[task] > self.scaling.max_failures:
            raise UserError(self._too_many(task))
        self.notify("a worker died; another replaces it and does its task again")
        self._start()

    def _too_many(self, task: Task | None) -> str:
        deaths = f"{self._deaths[task]} workers died, more than scaling.max_failures={self.scaling.max_failures} allows"
        remedy = "if it was for lack of memory, lower evaluation.batch_size or scaling.workers"
        return f"{self._name(task)}: {deaths}; {remedy}, then the same command resumes"

    def _name(self, task: Task | None) -> str:
        if task is None:
            return "loading the model"
        first, *others = task.rows
        more = f" and {len(others)} more" if others else ""
        return f"image {self.keys[first]}{more} ({', '.join(task.methods) or 'unperturbed'})"


def own_error(error: UserError) -> UserError:
    """The error that a worker raised, without the traceback that Ray adds to its message."""
    return UserError(str(getattr(error, "cause", error)))
