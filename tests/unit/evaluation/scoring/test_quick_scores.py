"""Scores that training makes along the way, against the slow oracles; the same whatever the number of ranks."""

from pathlib import Path

import numpy as np
import pytest
import torch

from distxml.config import Recipe
from distxml.data.loader import Loader
from distxml.data.sampler import Rank
from distxml.data.schema import open_dataset
from distxml.data.subsets import balanced_sample
from distxml.evaluation.perturbation.patches import tie_order
from distxml.evaluation.scoring.quick_scores import quick_scores
from distxml.models.joint import JointOutput
from distxml.training.callbacks.quick_scores import no_scores
from tests.oracles import patches as patch_oracle
from tests.oracles import perturbation as oracle
from tests.oracles.pompom import pompom as pompom_oracle
from tests.unit.training.small_training import events, small_recipe, small_trainer

SETTINGS = ("quick_scores={images: 5, patches: 4, steps: 6, fill: gray}",)
CPU = torch.device("cpu")


def forward(image: torch.Tensor) -> JointOutput:
    """A model that is easy to follow: its heatmap is the red channel, its logits depend on what is left of it."""
    heatmap = image[:, :1] * (image[:, :1] > 0.3)
    gated = (image * heatmap).mean((2, 3))  # B×3
    return JointOutput(torch.stack([gated.sum(1), 5 * gated[:, 1] - gated[:, 0]], 1), heatmap)


def loader(recipe: Recipe, rank: Rank) -> Loader:
    return Loader(open_dataset(recipe.dataset.path), "val", recipe.loader, rank, recipe.run.seed)


def expected(recipe: Recipe) -> tuple[float, float]:
    """AOPC and POMPOM of the sample, patch by patch, in float64."""
    val = loader(recipe, Rank())
    chosen = balanced_sample(list(val.reader.index().labels), 5, recipe.quick_scores.seed)
    batch = next(val.evaluation())  # all eight images
    curves, shares = [], []
    for row in chosen:
        image = batch.image[row].double().numpy()
        output = forward(batch.image[row : row + 1])
        heat = output.heatmap[0, 0].double().numpy()
        target = int(output.logits.argmax())
        order = _order(heat, batch.key[row], recipe.quick_scores.seed)
        images = oracle.steps_of(image, np.full_like(image, 0.5), order, 4, 6)
        logits = [forward(torch.from_numpy(each)[None].float()).logits[0].double().tolist() for each in images]
        curves.append([oracle.followed(each, target, "probability") for each in logits])
        shares.append(pompom_oracle(heat, batch.mask[row, 0].double().numpy())[0])
    return oracle.aopc(curves), sum(shares) / len(shares)


def _order(heat: np.ndarray, key: str, seed: int) -> list[int]:
    pixels = patch_oracle.patches(heat.shape[0], heat.shape[1], 4)
    scores = [np.mean([heat[i, j] for i, j in patch]) for patch in pixels]
    ties = tie_order(key, 4, len(pixels), seed)
    return sorted(range(len(pixels)), key=lambda patch: (-scores[patch], ties[patch]))


@pytest.mark.parametrize("ranks", [1, 2, 6])
def test_against_the_oracle_on_any_number_of_ranks(tmp_path: Path, ranks: int) -> None:
    recipe = small_recipe(tmp_path, *SETTINGS, "loader.batch_size=8")
    parts = [quick_scores(recipe, loader(recipe, Rank(index, ranks)))(forward, CPU) for index in range(ranks)]
    means = [sum(part[name][0] for part in parts) / sum(part[name][1] for part in parts) for name in ("aopc", "pompom")]
    assert means == pytest.approx(expected(recipe), abs=1e-6)


def test_the_classes_take_turns() -> None:
    labels = [0] * 50 + [1] * 3 + [2] * 20
    chosen = balanced_sample(labels, 12, seed=0)
    assert [labels[row] for row in chosen] == [0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 2, 0]
    assert len(set(chosen)) == 12 and chosen != balanced_sample(labels, 12, seed=1)
    assert balanced_sample(labels, 1000, seed=0) != chosen and len(balanced_sample(labels, 1000, seed=0)) == 73


def test_none_are_made_where_none_are_wanted(tmp_path: Path) -> None:
    recipe = small_recipe(tmp_path, "quick_scores.images=0")
    assert quick_scores(recipe, loader(recipe, Rank()))(forward, CPU) == {}


def test_training_logs_them_in_the_joint_phase_and_learns_the_same(tmp_path: Path) -> None:
    with_scores, without = (small_recipe(tmp_path, *SETTINGS, f"run.name={name}") for name in ("with", "without"))
    weights = []
    for recipe in (with_scores, without):
        trainer = small_trainer(recipe, scores=quick_scores if recipe is with_scores else no_scores)
        trainer.fit()
        weights.append(trainer.model.state_dict())
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[1])
    logged = [({"aopc", "pompom"} <= event["val"].keys(), event["phase"]) for event in events(with_scores, "epoch")]
    assert logged == [(phase == "joint", phase) for phase in ("classifier", "explainer", "joint") for _ in range(2)]
    assert all(
        "scoring_seconds" in event["pace"] for event in events(with_scores, "epoch") if event["phase"] == "joint"
    )
    assert not any("aopc" in event["val"] for event in events(without, "epoch"))
