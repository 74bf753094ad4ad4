"""How the first rank's events reach the driver's terminal: an actor between the two."""

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import ray
from ray.exceptions import RayError

from distxml.monitoring.events import Event, FailedEvent


class _Box:
    def __init__(self) -> None:
        self.events: list[Event] = []
        self.failed = False

    def put(self, event: Event) -> None:
        self.events.append(event)

    def fail(self, event: FailedEvent) -> None:
        self.failed = True
        self.put(event)

    def has_failed(self) -> bool:
        return self.failed

    def take(self) -> list[Event]:
        events, self.events = self.events, []
        return events


@dataclass(frozen=True)
class Mailbox:
    """Handle of the actor; may be sent to workers."""

    actor: Any

    @staticmethod
    def open() -> "Mailbox":
        """A new, empty mailbox; it reserves no CPU."""
        return Mailbox(ray.remote(num_cpus=0)(_Box).remote())

    def put(self, event: Event) -> None:
        """Send without waiting; a lost mailbox loses the display, not the run."""
        self.actor.put.remote(event)

    def fail(self, event: FailedEvent) -> None:
        """Send that the run cannot go on, and wait until it has arrived."""
        with suppress(RayError):
            ray.get(self.actor.fail.remote(event))

    def has_failed(self) -> bool:
        """Whether some worker has said that the run cannot go on."""
        with suppress(RayError):
            return ray.get(self.actor.has_failed.remote())
        return False

    def take(self, timeout: float = 5.0) -> list[Event]:
        """Everything that has arrived since the last call."""
        return ray.get(self.actor.take.remote(), timeout=timeout)
