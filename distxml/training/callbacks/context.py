"""`CallbackContext`: what a worker knows when its callbacks are made, before the first step."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from distxml.config import Recipe
from distxml.data.loader import Loader, Loaders
from distxml.models.joint import JointOutput
from distxml.monitoring.events import Event
from distxml.training.checkpoints import Checkpoints
from distxml.training.state import TrainState

Forward = Callable[[Tensor], JointOutput]
"""The model in eval mode, for B×3×H×W images on its device."""

Scores = Callable[[Forward, torch.device], dict[str, tuple[float, float]]]
"""Scores a model: by name, the sum over this rank's images and their number. The names are the same on all ranks."""

ScoresMaker = Callable[[Recipe, Loader], Scores]
"""Makes a rank's `Scores` from the recipe and its loader of the validation split; workers get its address."""


class EventSink(Protocol):
    """Where events are sent to: the queue to the driver."""

    def put(self, event: Event) -> None: ...


@dataclass(frozen=True, kw_only=True)
class CallbackContext:
    """What a callback can be made from.

    Attributes:
        data: this rank's loaders.
        checkpoints: of the run; with its folder.
        state: where training begins or resumes; training has a copy of its own.
        event_queue: to the driver.
        scores: see `quick_scores.py`.
    """

    recipe: Recipe
    data: Loaders
    checkpoints: Checkpoints
    state: TrainState
    event_queue: EventSink
    scores: Scores
