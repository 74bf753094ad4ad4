"""Scores of the explanations that training has made after an epoch, by whoever started it: it does not know how."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

from distxml.config import Recipe
from distxml.data.loader import Loader
from distxml.models.joint import JointOutput
from distxml.training.learner import Learner
from distxml.training.ranks import sum_over_ranks
from distxml.training.tally import Metrics

Forward = Callable[[Tensor], JointOutput]
"""The model in eval mode, for B×3×H×W images on its device."""
Scores = Callable[[Forward, torch.device], dict[str, tuple[float, float]]]
"""Scores a model: by name, the sum over this rank's images and their number. The names are the same on all ranks."""
ScoresMaker = Callable[[Recipe, Loader], Scores]
"""Makes a rank's `Scores` from the recipe and its loader of the validation split; sent to the workers by its name."""


@dataclass(frozen=True)
class Scored:
    """Means over the images of all ranks, and `scoring_seconds`, what they took."""

    means: Metrics = field(default_factory=dict)
    pace: dict[str, float] = field(default_factory=dict)


NOTHING_SCORED = Scored()


def no_scores(forward: Forward, device: torch.device) -> dict[str, tuple[float, float]]:
    """Where nobody asked for any."""
    return {}


@torch.no_grad()
def score(scores: Scores, learner: Learner) -> Scored:
    """The scores of a learner whose model is in eval mode; every rank must call it. Names without images are absent."""
    began = time.monotonic()
    own = scores(learner.forward_images, learner.device)
    if not own:
        return NOTHING_SCORED
    pairs = [number for name in sorted(own) for number in own[name]]
    sums = sum_over_ranks(torch.tensor(pairs, dtype=torch.float64, device=learner.device)).tolist()
    totals = zip(sorted(own), sums[::2], sums[1::2], strict=True)
    means = {name: total / images for name, total, images in totals if images}
    return Scored(means, {"scoring_seconds": time.monotonic() - began})
