"""How the first rank's events reach the driver's terminal: an actor between the two, on the driver's node.

Not `ray.util.queue.Queue`: its `get` removes an item before the answer has arrived, so an answer that comes after the
timeout is lost, and its `put` waits for the actor, so that a lost or slow one would hold up training.
"""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import ray
from ray.exceptions import ActorUnavailableError, GetTimeoutError, RayActorError, RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from distxml.monitoring.events import Event, FailedEvent

SECONDS_TO_ANSWER = 30.0
"""How long a worker waits for the queue; the display never holds up a run for longer."""


class _EventActor:
    """Keeps every event until the driver confirms it: what came too late is asked for again."""

    def __init__(self, notices: list[str]) -> None:
        self.notices = notices
        self.events: list[Event] = []
        self.first = 0  # number of events[0]
        self.failed = False

    def put(self, event: Event) -> None:
        self.events.append(event)

    def fail(self, event: FailedEvent) -> None:
        self.failed = True
        self.put(event)

    def has_failed(self) -> bool:
        return self.failed

    def take_notices(self) -> list[str]:
        notices, self.notices = self.notices, []
        return notices

    def since(self, number: int) -> list[Event]:
        """Events from the `number`-th on; those before it have arrived."""
        arrived = max(0, number - self.first)
        del self.events[:arrived]
        self.first += arrived
        return self.events


@dataclass(frozen=True)
class EventQueue:
    """Handle of the actor; may be sent to workers."""

    actor: Any

    @staticmethod
    def open(notices: list[str]) -> "EventQueue":
        """A new queue with `notices` for the workers.

        It reserves no CPU, and is on the driver's node: the loss of another node does not end it.
        """
        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
        options: Any = {"num_cpus": 0, "scheduling_strategy": here}
        return EventQueue(ray.remote(**options)(_EventActor).remote(notices))

    def put(self, event: Event) -> None:
        """Send without waiting; a lost queue loses the display, not the run."""
        self.actor.put.remote(event)

    def fail(self, event: FailedEvent) -> None:
        """Send that the run cannot continue, and wait until it has arrived."""
        with suppress(RayError):
            ray.get(self.actor.fail.remote(event), timeout=SECONDS_TO_ANSWER)

    def take_notices(self) -> list[str]:
        """What the driver wants the user to know; for the first who asks, not for workers that replace lost ones."""
        with suppress(RayError):
            return ray.get(self.actor.take_notices.remote(), timeout=SECONDS_TO_ANSWER)
        return []

    def has_failed(self) -> bool:
        """Whether some worker has said that the run cannot continue."""
        with suppress(RayError):
            return ray.get(self.actor.has_failed.remote(), timeout=SECONDS_TO_ANSWER)
        return False


class EventReader:
    """The driver's end: every event once, in order."""

    def __init__(self, queue: EventQueue) -> None:
        self.lost = False
        self._actor = queue.actor
        self._seen = 0

    def take(self, timeout: float) -> list[Event]:
        """What has arrived since the last call; nothing where there was no answer within `timeout` seconds.

        A queue that died is `lost` from then on, and returns nothing more.
        """
        if self.lost:
            return []
        try:
            events: list[Event] = ray.get(self._actor.since.remote(self._seen), timeout=timeout)
        except (GetTimeoutError, ActorUnavailableError):
            return []  # it may be slow to start, or the machine busy: ask again
        except RayActorError:
            self.lost = True
            return []
        self._seen += len(events)
        return events
