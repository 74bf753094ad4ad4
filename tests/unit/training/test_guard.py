"""The collapse guard, in real training of a tiny model that is driven into collapse."""

import pytest
import torch

from distxml.config.guard import GuardSettings
from distxml.config.phases import PhaseName, PhaseSettings
from distxml.config.run_folder import RunFolder
from distxml.errors import UserError
from distxml.training.guard import collapse_in_training, collapse_in_validation, is_healthy, useless_in_validation
from distxml.training.metrics import RunningMeans
from tests.unit.training.small_training import SHORT, events, small_recipe, small_trainer

ONLY_EXPLAINER = PhaseSettings(epochs=1, alpha=0.25, lr_classifier=0, lr_explainer=0.1)
ONLY_CLASSIFIER = PhaseSettings(epochs=1, alpha=1, lr_classifier=0.1, lr_explainer=0)
GUARD = GuardSettings()


def means(black: float = 0.0, white: float = 0.0, difference: float = 0.5) -> RunningMeans:
    return RunningMeans(own_loss=0.5, black=black, white=white, difference=difference)


def test_black_is_seen_in_training_and_in_validation() -> None:
    assert collapse_in_training(means(black=0.997), 0, ONLY_EXPLAINER, GUARD) is None
    seen = collapse_in_training(means(black=0.999), 0, ONLY_EXPLAINER, GUARD)
    assert seen is not None and seen.kind == "dead" and "99.90% of its pixels are below 0.05" in seen.reason
    seen = collapse_in_validation({"black": 1.0}, ONLY_EXPLAINER, GUARD)
    assert seen is not None and "in validation" in seen.reason
    assert collapse_in_validation({"black": 0.99}, ONLY_EXPLAINER, GUARD) is None
    off = GuardSettings(black_share=None)
    assert collapse_in_validation({"black": 1.0}, ONLY_EXPLAINER, off) is None


def test_a_heatmap_that_nobody_trains_may_be_anything() -> None:
    assert collapse_in_training(means(black=1.0), 0, ONLY_CLASSIFIER, GUARD) is None
    assert collapse_in_training(means(white=1.0), 10_000, ONLY_CLASSIFIER, GUARD) is None


def test_white_is_only_wrong_after_a_while() -> None:
    assert collapse_in_training(means(white=1.0), 199, ONLY_EXPLAINER, GUARD) is None
    seen = collapse_in_training(means(white=1.0), 200, ONLY_EXPLAINER, GUARD)
    assert seen is not None and seen.kind == "white"
    assert collapse_in_training(means(white=1.0), 200, ONLY_EXPLAINER, GuardSettings(white_steps=None)) is None


def test_weights_to_go_back_to_are_well_away_from_black() -> None:
    assert is_healthy(means(black=0.9), 0.9, 0.5, GUARD)
    assert not is_healthy(means(black=0.997), 0.9, 0.5, GUARD)
    assert not is_healthy(means(black=0.9), 0.997, 0.5, GUARD)
    assert not is_healthy(means(black=0.9), 0.9, 0.09, GUARD)
    assert not is_healthy(means(black=0.9, difference=0.09), 0.9, 0.5, GUARD)
    assert is_healthy(means(black=0.2, difference=0.0), 0.2, 0.0, GUARD), "it has only begun to learn"
    assert not is_healthy(means(black=0.3, difference=0.0), 0.3, 0.0, GUARD), "it is on its way"


def test_the_same_heatmap_for_every_image() -> None:
    seen = collapse_in_training(means(black=0.9, difference=0.04), 0, ONLY_EXPLAINER, GUARD)
    assert seen is not None and seen.kind == "dead" and "differ by 4.0% of their heat over" in seen.reason
    seen = collapse_in_validation({"black": 0.9, "difference": 0.0}, ONLY_EXPLAINER, GUARD)
    assert seen is not None and "same for every image" in seen.reason and "in validation" in seen.reason
    assert collapse_in_validation({"black": 0.4, "difference": 0.0}, ONLY_EXPLAINER, GUARD) is None
    assert collapse_in_validation({"black": 0.9}, ONLY_EXPLAINER, GUARD) is None, "one image per batch: unknown"
    off = GuardSettings(same_below=None)
    assert collapse_in_validation({"black": 0.9, "difference": 0.0}, ONLY_EXPLAINER, off) is None


DARK = (
    *SHORT,
    "phases.explainer.lr_explainer=0.5",
    "optimizer.clip_norm=null",
    "phases.explainer.epochs=12",
    "phases.explainer.alpha=0.0",
)


@pytest.mark.parametrize(
    ("unwatched", "seen"),
    [("guard.same_below=null", "gone black"), ("guard.black_share=null", "same for every image")],
)
def test_a_dead_heatmap_is_taken_back_with_smaller_steps(tmp_path, unwatched: str, seen: str) -> None:
    recipe = small_recipe(tmp_path, *DARK, unwatched, "guard.factor=0.1", "phases.joint.alpha=1.0")
    trainer = small_trainer(recipe)
    trainer.fit()
    acted = events(recipe, "guard")
    assert acted and all(seen in event["reason"] for event in acted)
    assert [event["lr_explainer"] for event in acted] == pytest.approx([0.5 * 0.1 ** event["tries"] for event in acted])
    epochs = events(recipe, "epoch")
    assert [event["global_epoch"] for event in epochs] == list(range(1, len(epochs) + 1)), "no number twice"
    with torch.no_grad():
        heatmap = trainer.model.eval()(next(trainer.data.val.evaluation()).image).heatmap
    assert float((heatmap > 0.05).float().mean()) > 0.002, "alive"
    for name in ("last", "best_loss"):
        assert RunFolder(recipe.run_folder).checkpoint(PhaseName.JOINT, name).is_dir()


def test_without_the_guard_the_same_settings_end_black(tmp_path) -> None:
    recipe = small_recipe(tmp_path, *DARK, "guard.black_share=null", "guard.same_below=null", "phases.joint.alpha=1.0")
    small_trainer(recipe).fit()
    last_of_explainer = [event for event in events(recipe, "epoch") if event["phase"] == PhaseName.EXPLAINER][-1]
    assert last_of_explainer["train"]["black"] > 0.998 and not events(recipe, "guard")


def test_the_guard_gives_up_with_a_diagnosis(tmp_path) -> None:
    recipe = small_recipe(tmp_path, *DARK, "guard.tries=1", "guard.factor=0.99", "guard.same_below=null")
    with pytest.raises(UserError) as error:
        small_trainer(recipe).fit()
    for part in (
        "phase 2, explainer",
        "gone black",
        "after 1 tries",
        "phases.explainer.lr_explainer (now 0.5)",
        "clip_norm (now unset",
    ):
        assert part in str(error.value)


def test_a_phase_that_ends_white_is_told(tmp_path) -> None:
    frozen = ("phases.explainer.lr_explainer=1e-9", "phases.joint.lr_explainer=1e-9", "optimizer.min_lr=0")
    recipe = small_recipe(tmp_path, *SHORT, *frozen)
    small_trainer(recipe).fit()
    messages = [event["message"] for event in events(recipe, "notice") if "heatmap is" in event["message"]]
    assert len(messages) == 2 and all("the heatmap is white" in message for message in messages)
    assert all("explains nothing: raise phases." in message for message in messages)
    assert "phases.joint.lr_explainer" in messages[1]


def test_much_heat_that_is_the_same_for_every_image_is_told_but_no_reason_to_go_back() -> None:
    """A white heatmap with a black frame, as zero padding makes it: alive, and of no use."""
    framed = {"black": 0.06, "white": 0.94, "difference": 0.02}
    assert collapse_in_validation(framed, ONLY_EXPLAINER, GUARD) is None
    useless = useless_in_validation(framed, ONLY_EXPLAINER, GUARD)
    assert useless is not None and "the same for every image (heatmaps differ by 2.0%" in useless.reason
    assert useless_in_validation(framed | {"difference": 0.06}, ONLY_EXPLAINER, GUARD) is None
    assert useless_in_validation(framed, ONLY_CLASSIFIER, GUARD) is None
    assert useless_in_validation(framed, ONLY_EXPLAINER, GuardSettings(same_below=None)) is None


@pytest.mark.parametrize("rate", ["1e30", "1e39"])
def test_weights_that_are_no_numbers_any_more_are_never_kept(tmp_path, rate: str) -> None:
    """The first rate spoils the loss of a later step, the other one the weights at once, with a loss that is right."""
    settings = (f"phases.classifier.lr_classifier={rate}", "optimizer.clip_norm=null", "run.checkpoint_steps=1")
    recipe = small_recipe(tmp_path, *settings)
    with pytest.raises(
        UserError, match=r"phase 1, classifier, epoch 1: the .* finite number.*; lower phases\.classifier\."
    ):
        small_trainer(recipe).fit()
    kept = small_trainer(recipe).checkpoints
    newest = kept.find_newest().checkpoint
    assert newest is not None
    assert all(value.isfinite().all() for value in kept.model(newest.phase, newest.name).model.state_dict().values())
