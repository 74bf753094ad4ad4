"""Scores that training makes along the way, against the slow oracles; the same whatever the number of ranks."""

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from distxml.config import Recipe
from distxml.data.loader import Loader
from distxml.data.sampler import Rank
from distxml.data.schema import open_dataset
from distxml.data.subsets import balanced_sample
from distxml.evaluation.perturbation.patches import tie_order
from distxml.evaluation.scoring.quick_scores import quick_scores
from distxml.models.joint import JointModel, JointOutput
from distxml.training.callbacks.context import Scores
from tests.oracles import patches as patch_oracle
from tests.oracles import perturbation as oracle
from tests.oracles.flips import flips as flips_oracle
from tests.oracles.pompom import pompom as pompom_oracle
from tests.unit.training.small_training import events, small_recipe, small_trainer, weights_of

SETTINGS = ("quick_scores={images: 5, patches: 4, steps: 6, fill: gray}",)
CPU = torch.device("cpu")


def forward(image: torch.Tensor) -> JointOutput:
    """A model that is easy to follow: its heatmap is the red channel, its logits depend on what is left of it."""
    heatmap = image[:, :1] * (image[:, :1] > 0.3)
    gated = (image * heatmap).mean((2, 3))  # B×3
    return JointOutput(torch.stack([gated.sum(1), 4.5 * gated[:, 1] - gated[:, 0]], 1), heatmap)


def loader(recipe: Recipe, rank: Rank) -> Loader:
    return Loader(open_dataset(recipe.dataset.path), "val", recipe.loader, rank, recipe.run.seed)


NAMES = ("aopc", "flips_above_random", "pompom")


def expected(recipe: Recipe) -> tuple[float, float, float]:
    """The means of the sample, patch by patch, in float64."""
    val = loader(recipe, Rank())
    chosen = balanced_sample(list(val.reader.index().labels), 5, recipe.quick_scores.seed)
    batch = next(val.evaluation())  # all eight images
    curves, flips, shares = [], [], []
    for row in chosen:
        image = batch.image[row].double().numpy()
        output = forward(batch.image[row : row + 1])
        heat = output.heatmap[0, 0].double().numpy()
        target = int(output.logits.argmax())
        ours, random = (
            _logits(image, _order(each, batch.key[row], recipe.quick_scores.seed)) for each in (heat, 0 * heat)
        )
        curves.append([oracle.followed(each, target, "probability") for each in ours])
        flips.append(flips_oracle(ours) - flips_oracle(random))
        shares.append(pompom_oracle(heat, batch.mask[row, 0].double().numpy())[0])
    return oracle.aopc(curves), sum(flips) / len(flips), sum(shares) / len(shares)


def _logits(image: np.ndarray, order: list[int]) -> list[list[float]]:
    images = oracle.steps_of(image, np.full_like(image, 0.5), order, 4, 6)
    return [forward(torch.from_numpy(each)[None].float()).logits[0].double().tolist() for each in images]


def _order(heat: np.ndarray, key: str, seed: int) -> list[int]:
    pixels = patch_oracle.patches(heat.shape[0], heat.shape[1], 4)
    scores = [np.mean([heat[i, j] for i, j in patch]) for patch in pixels]
    ties = tie_order(key, 4, len(pixels), seed)
    return sorted(range(len(pixels)), key=lambda patch: (-scores[patch], ties[patch]))


@pytest.mark.parametrize("ranks", [1, 2, 6])
def test_against_the_oracle_on_any_number_of_ranks(tmp_path: Path, ranks: int) -> None:
    recipe = small_recipe(tmp_path, *SETTINGS, "compute.micro_batch=2")  # one rank scores two images, two, and one
    parts = [quick_scores(recipe, loader(recipe, Rank(index, ranks)))(forward, CPU) for index in range(ranks)]
    assert all(part.keys() == set(NAMES) for part in parts)
    means = [sum(part[name][0] for part in parts) / sum(part[name][1] for part in parts) for name in NAMES]
    whole = small_recipe(tmp_path, *SETTINGS, "loader.batch_size=8")
    assert means == pytest.approx(expected(whole), abs=1e-6) and all(means)


def test_confidence_moves_aopc_and_not_the_flips(tmp_path: Path) -> None:
    recipe = small_recipe(tmp_path, "quick_scores={images: 8, patches: 4, fill: black}", "model.init_bias=0.5")
    val = loader(recipe, Rank())
    torch.manual_seed(0)
    model = JointModel(recipe.model, 2).eval()
    head = [layer for layer in model.classifier.modules() if isinstance(layer, nn.Linear)][-1]
    with torch.no_grad():
        head.bias -= model(next(val.evaluation()).image).logits.mean(0)  # it has not learnt to decide: let it waver
    scores = quick_scores(recipe, val)
    factors = (0.25, 0.5, 1.0, 2.0, 3.7, 4.0)
    found = [_scaled_scores(scores, model, head, factor) for factor in factors]
    flips, areas = ([each[name] for each in found] for name in ("flips_above_random", "aopc"))
    assert flips == [flips[0]] * len(factors) and flips[0][0] != 0
    assert len({area for area, _ in areas}) == len(factors)


def _scaled_scores(scores: Scores, model: JointModel, head: nn.Linear, factor: float) -> dict[str, tuple[float, float]]:
    """Of the model with its last layer times `factor`."""
    kept = copy.deepcopy(head.state_dict())
    with torch.no_grad():
        for parameter in head.parameters():
            parameter.mul_(factor)
        found = scores(model, CPU)
    head.load_state_dict(kept)
    return found


@pytest.mark.parametrize("heat", [0.0, 0.3, 1.0])
def test_a_heatmap_that_is_the_same_everywhere_is_a_random_order(tmp_path: Path, heat: float) -> None:
    recipe = small_recipe(tmp_path, *SETTINGS)

    def constant(image: torch.Tensor) -> JointOutput:
        return JointOutput(forward(image).logits, torch.full_like(image[:, :1], heat))

    found = quick_scores(recipe, loader(recipe, Rank()))(constant, CPU)
    assert found["flips_above_random"] == (0, 5) and found["aopc"][0] != 0


def test_the_classes_take_turns() -> None:
    labels = [0] * 50 + [1] * 3 + [2] * 20
    chosen = balanced_sample(labels, 12, seed=0)
    assert [labels[row] for row in chosen] == [0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 2, 0]
    assert len(set(chosen)) == 12 and chosen != balanced_sample(labels, 12, seed=1)
    assert balanced_sample(labels, 1000, seed=0) != chosen and len(balanced_sample(labels, 1000, seed=0)) == 73


def test_none_are_made_where_none_are_wanted(tmp_path: Path) -> None:
    recipe = small_recipe(tmp_path, "quick_scores.images=0")
    assert quick_scores(recipe, loader(recipe, Rank()))(forward, CPU) == {}


def test_training_logs_them_in_the_joint_phase_and_learns_the_same(trained: Path, tmp_path: Path) -> None:
    with_scores, without = small_recipe(tmp_path, *SETTINGS), small_recipe(trained)
    trainer = small_trainer(with_scores, scores=quick_scores)
    trainer.fit()
    ours, theirs = trainer.model.state_dict(), weights_of(without)
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    logged = [(set(NAMES) <= event["val"].keys(), event["phase"]) for event in events(with_scores, "epoch")]
    assert logged == [(phase == "joint", phase) for phase in ("classifier", "explainer", "joint") for _ in range(2)]
    assert all(
        "scoring_seconds" in event["pace"] for event in events(with_scores, "epoch") if event["phase"] == "joint"
    )
    assert not any("aopc" in event["val"] for event in events(without, "epoch"))
