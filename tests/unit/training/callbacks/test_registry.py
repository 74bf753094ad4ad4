"""Which callbacks a rank has, and one that is registered from outside."""

from pathlib import Path

import torch

from distxml.data.loader import Loader, Loaders
from distxml.data.sampler import Rank
from distxml.data.schema import open_dataset
from distxml.training.callbacks.base import Callback, EpochReport
from distxml.training.callbacks.context import CallbackContext
from distxml.training.callbacks.quick_scores import no_scores
from distxml.training.callbacks.registry import CALLBACKS, CallbackEntry, make_callbacks
from distxml.training.checkpoints import Checkpoints
from distxml.training.preflight import model_card
from distxml.training.state import TrainState
from tests.unit.training.small_training import KeptEvents, events, small_recipe, small_trainer, weights_of


class LearningRateRatio(Callback):
    """Reports how the rates of the two networks compare."""

    def on_epoch_end(self, report: EpochReport) -> None:
        report.val["rate_ratio"] = report.rates.classifier / (report.rates.explainer or 1.0)


def test_a_callback_from_outside_reports_a_metric_and_training_learns_the_same(trained: Path, tmp_path: Path) -> None:
    plain, watched = small_recipe(trained), small_recipe(tmp_path)
    CALLBACKS.add(CallbackEntry("rate_ratio", lambda context: LearningRateRatio()))
    try:
        trainer = small_trainer(watched)
    finally:
        CALLBACKS.remove("rate_ratio")
    trainer.fit()
    one, other = trainer.model.state_dict(), weights_of(plain)
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert all("rate_ratio" in event["val"] for event in events(watched, "epoch"))
    assert not any("rate_ratio" in event["val"] for event in events(plain, "epoch"))


def test_ranks_other_than_the_first_only_score(tmp_path: Path) -> None:
    recipe = small_recipe(tmp_path)
    dataset = open_dataset(recipe.dataset.path)
    data = Loaders(*(Loader(dataset, part, recipe.loader, Rank(1, 2), 0) for part in ("train", "val")))
    trainer = small_trainer(recipe)
    context = CallbackContext(
        recipe=recipe,
        data=data,
        checkpoints=Checkpoints(trainer.checkpoints.run, model_card(recipe, dataset), "attempt"),
        state=TrainState(),
        event_queue=KeptEvents(),
        scores=no_scores(recipe, data.val),
    )
    assert [type(callback).__name__ for callback in make_callbacks(context).members] == ["QuickScoring"]
