"""A pool of actors: each gets a task when it is free. One that dies is replaced, and its task is done by the next."""

import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import ray
from ray.exceptions import OutOfMemoryError, RayActorError

from distxml.capacity import SECONDS_TO_START, CapacityWatch, busy_cluster
from distxml.errors import UserError
from distxml.evaluation.workers.tasks import Task
from distxml.evaluation.workers.worker import ScoringWorker, Work
from distxml.signals import StopRequest

Tell = Callable[[str], None]
"""Called with what the user should know."""
SECONDS_BETWEEN_LOOKS = 1.0
"""The longest that a Ctrl-C waits to be heard."""
DEATHS = (RayActorError, OutOfMemoryError)
"""What Ray raises where a worker was killed, its node was lost, or it cannot be reached any more."""


class Pool:
    """Does tasks with `scaling.workers` actors, which reserve what `scaling` says.

    A task is given to no actor before that one is ready, so none waits for a node that does not come back.
    """

    def __init__(self, work: Work, keys: Sequence[str], tell: Tell, stop: StopRequest) -> None:
        """`keys`: of the split's images, in their order."""
        self.work, self.keys, self.tell, self.stop = work, keys, tell, stop
        self.scaling = work.brief.recipe.scaling
        self._starting: dict[ray.ObjectRef, Any] = {}  # an actor that loads the model, by what it says when it has
        self._busy: dict[ray.ObjectRef, tuple[Any, Task]] = {}
        self._deaths: Counter[Task | None] = Counter()  # over a task; None: of actors that were not ready yet
        self._capacity = CapacityWatch(self.scaling)
        self._begun: float | None = None  # None: a worker was ready, or the user was told that none is

    def run(self, tasks: Sequence[Task]) -> Iterator[Task]:
        """All tasks, each as soon as it is done; those that are done, if somebody asks to stop.

        Raises:
            UserError: a worker raised it, or workers die too often.
        """
        waiting, self._begun = deque(tasks), time.monotonic()
        try:
            for _ in range(min(self.scaling.workers, len(waiting))):
                self._start()
            while waiting or self._busy:
                ended, _ = ray.wait([*self._starting, *self._busy], num_returns=1, timeout=SECONDS_BETWEEN_LOOKS)
                if self.stop.signal:  # workers that died may have died of it
                    return
                for ref in ended:
                    yield from self._settle(ref, waiting)
                for message in self._changes():
                    self.tell(message)
        finally:
            for actor in [*self._starting.values(), *(actor for actor, _ in self._busy.values())]:
                ray.kill(actor)

    def _changes(self) -> Iterator[str]:
        yield from self._capacity.changes()
        if self._begun and time.monotonic() - self._begun > SECONDS_TO_START:
            self._begun = None
            yield busy_cluster()

    def _start(self) -> None:
        scaling = self.scaling
        actor = (
            ray.remote(ScoringWorker)
            .options(num_cpus=scaling.cpus_per_worker, num_gpus=scaling.gpus_per_worker, scheduling_strategy="SPREAD")
            .remote(self.work)
        )
        self._starting[actor.load.remote()] = actor

    def _settle(self, ref: ray.ObjectRef, waiting: deque[Task]) -> Iterator[Task]:
        """Something has ended: an actor has loaded the model, or done its task, or died."""
        actor, task = (self._starting.pop(ref), None) if ref in self._starting else self._busy.pop(ref)
        try:
            ray.get(ref)
        except DEATHS:
            ray.kill(actor)  # should it only be out of reach
            if task:
                waiting.appendleft(task)
            self._replace(task)
            return
        except UserError as error:
            raise own_error(error) from None
        if task is None:
            self._deaths[None], self._begun = 0, None
        if waiting:
            following = waiting.popleft()
            self._busy[actor.score.remote(following.rows, following.methods)] = actor, following
        if task:
            yield task

    def _replace(self, task: Task | None) -> None:
        self._deaths[task] += 1
        if self._deaths[task] > self.scaling.max_failures:
            raise UserError(self._too_many(task))
        self.tell("a worker died; another takes its place, and what it was at is done again")
        self._start()

    def _too_many(self, task: Task | None) -> str:
        deaths = f"{self._deaths[task]} workers died, more than scaling.max_failures={self.scaling.max_failures} allows"
        remedy = "if it was for lack of memory, lower evaluation.batch_size or scaling.workers"
        return f"{self._name(task)}: {deaths}; {remedy}, then the same command goes on"

    def _name(self, task: Task | None) -> str:
        if task is None:
            return "loading the model"
        first, *others = task.rows
        more = f" and {len(others)} more" if others else ""
        return f"image {self.keys[first]}{more} ({', '.join(task.methods) or 'as it is'})"


def own_error(error: UserError) -> UserError:
    """What a worker raised: Ray adds its traceback."""
    return UserError(str(getattr(error, "cause", error)))
