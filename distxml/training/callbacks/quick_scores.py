"""Scores of explanations after each epoch of the joint phase; what computes them is handed in by whoever trains."""

import time
from dataclasses import dataclass

import torch

from distxml.config import Recipe
from distxml.config.phases import PhaseName
from distxml.data.loader import Loader
from distxml.training.callbacks.base import Callback, EpochReport
from distxml.training.callbacks.context import CallbackContext, Scores
from distxml.training.distributed import sum_over_ranks


def no_scores(recipe: Recipe, val: Loader) -> Scores:
    """The `ScoresMaker` of whoever wants none."""
    return lambda forward, device: {}


@dataclass(frozen=True)
class QuickScoring(Callback):
    """Adds the scores' means over the images of all ranks to the validation metrics; it must be there on every rank."""

    scores: Scores

    def on_epoch_end(self, report: EpochReport) -> None:
        """Names without images are left out; `scoring_seconds` says how long it took."""
        if report.state.phase != PhaseName.JOINT:
            return
        began = time.monotonic()
        own = self._own(report)
        if not own:
            return
        pairs = [number for name in sorted(own) for number in own[name]]
        sums = sum_over_ranks(torch.tensor(pairs, dtype=torch.float64, device=report.learner.device)).tolist()
        totals = zip(sorted(own), sums[::2], sums[1::2], strict=True)
        report.val.update({name: total / images for name, total, images in totals if images})
        report.pace["scoring_seconds"] = time.monotonic() - began

    @torch.no_grad()
    def _own(self, report: EpochReport) -> dict[str, tuple[float, float]]:
        return self.scores(report.learner.forward_images, report.learner.device)


def make(context: CallbackContext) -> QuickScoring:
    """On every rank, as each scores its share of the images."""
    return QuickScoring(context.scores)
