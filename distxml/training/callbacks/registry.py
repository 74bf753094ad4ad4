"""The registry of callbacks, and how a worker makes its own."""

from dataclasses import dataclass

from distxml.registry import Address, Registry, load
from distxml.training.callbacks.base import Callbacks
from distxml.training.callbacks.context import CallbackContext


@dataclass(frozen=True)
class CallbackEntry:
    """A callback.

    Attributes:
        name: of the entry.
        make: takes a `CallbackContext`; returns the `Callback`, or None where the recipe does not ask for it.
        on_every_rank: whether all ranks have it; otherwise the first alone.
        reports: whether it reports what the others add, and is therefore called after them.
    """

    name: str
    make: Address
    on_every_rank: bool = False
    reports: bool = False


CALLBACKS = Registry(
    "callback",
    [
        CallbackEntry("step_meter", "distxml.training.callbacks.step_meter:make"),
        CallbackEntry("memory", "distxml.training.callbacks.memory:make"),
        CallbackEntry("profiler", "distxml.training.callbacks.profiler:make"),
        CallbackEntry("quick_scores", "distxml.training.callbacks.quick_scores:make", on_every_rank=True),
        CallbackEntry("run_logger", "distxml.training.callbacks.run_logger:make", reports=True),
    ],
)


def make_callbacks(context: CallbackContext) -> Callbacks:
    """This rank's callbacks, in the order of the registry, those that report the others last."""
    entries = [entry for entry in CALLBACKS if entry.on_every_rank or context.data.train.rank.is_first]
    entries.sort(key=lambda entry: entry.reports)
    made = [load(entry.make)(context) for entry in entries]
    return Callbacks(tuple(callback for callback in made if callback is not None))
