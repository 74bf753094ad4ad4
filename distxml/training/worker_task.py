"""`WorkerTask`: what the driver sends to each worker.

In a module of its own, which imports nothing that computes: Ray Train's controller, a process of its own, would import
it too, and every start of a run would wait for that.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from distxml.registry import Address, load

if TYPE_CHECKING:
    from distxml.monitoring.event_queue import EventQueue


@dataclass(frozen=True, kw_only=True)
class WorkerTask:
    """One run, for any rank.

    Attributes:
        recipe: as JSON.
        run: absolute path of its folder, or its URI.
        dataset_sha256: of the dataset that the driver has opened: `Dataset.sha256`.
        event_queue: to the driver.
        attempt: token of the driver that sends this.
        scores: address of a `ScoresMaker`.
    """

    recipe: str
    run: str
    dataset_sha256: str
    event_queue: "EventQueue"
    attempt: str
    scores: Address

    def run_on_this_rank(self) -> None:
        """What Ray Train calls in each worker."""
        load("distxml.training.worker:train_worker")(self)
