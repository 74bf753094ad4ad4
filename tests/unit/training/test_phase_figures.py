"""Figures at a phase's end against a count by hand, one image at a time; two ranks count as one does."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from distxml.config import Recipe
from distxml.config.phases import PhaseName
from distxml.data.batch import Batch
from distxml.models.joint import JointModel
from distxml.monitoring.phase_figures import PhaseFigures
from distxml.training.learner import Learner
from distxml.training.validation import THRESHOLDS, collect_figures
from tests.unit.training.ranks import run_on_ranks

CLASSES = ("cat", "dog", "owl")
IMAGES = 11  # odd: the two ranks get different numbers of images
BATCH = 3
COUNTS = ("confusion", "true_positives", "false_positives", "true_negatives", "false_negatives")


def learner(classes: int = len(CLASSES)) -> Learner:
    phase = {"epochs": 1, "alpha": 0.5, "lr_classifier": 0.1, "lr_explainer": 0.1}
    settings = {
        "dataset": {"path": "x"},
        "model": {"classifier": "small_resnet", "width": 4, "explainer_width": 4},
        "phases": {
            "classifier": phase | {"lr_explainer": 0},
            "explainer": phase | {"lr_classifier": 0},
            "joint": phase,
        },
        "run": {"name": "x"},
    }
    recipe = Recipe.model_validate(settings)
    torch.manual_seed(0)
    model = JointModel(recipe.model, classes)
    for parameter in model.classifier.parameters():
        parameter.data.mul_(1.5)  # probabilities all over the scale
    return Learner.build(recipe, PhaseName.JOINT, model, None)


def images(rows: range) -> Batch:
    every = torch.rand(IMAGES, 3, 16, 16, generator=torch.Generator().manual_seed(1)) * torch.rand(
        IMAGES, 1, 1, 1, generator=torch.Generator().manual_seed(2)
    )
    chosen = list(rows)
    return Batch(
        image=every[chosen],
        label=torch.tensor([index * 5 % 7 % 3 for index in chosen]),
        mask=torch.ones(len(chosen), 1, 16, 16),
        has_mask=torch.zeros(len(chosen), dtype=torch.bool),
        key=tuple(map(str, chosen)),
        weight=torch.ones(len(chosen)),
    )


def padding() -> Batch:
    one = images(range(1))
    return replace(one, weight=torch.zeros(1))


def batches(rows: range) -> Iterator[Batch]:
    for start in range(rows.start, rows.stop, BATCH):
        yield images(range(start, min(start + BATCH, rows.stop)))


def by_hand(model: JointModel) -> dict[str, np.ndarray]:
    model.eval()
    confusion = np.zeros((len(CLASSES),) * 2, int)
    tables = {name: np.zeros((len(CLASSES), THRESHOLDS), int) for name in COUNTS[1:]}
    for index in range(IMAGES):
        one = images(range(index, index + 1))
        with torch.no_grad():
            probability = model(one.image).logits.softmax(1)[0].tolist()
        label = int(one.label)
        confusion[label, probability.index(max(probability))] += 1
        for c in range(len(CLASSES)):
            for t in range(THRESHOLDS):
                taken = probability[c] >= t / (THRESHOLDS - 1)
                kind = "positives" if taken else "negatives"
                tables[f"{'true' if taken == (label == c) else 'false'}_{kind}"][c, t] += 1
    return {"confusion": confusion} | tables


def assert_as_by_hand(figures: PhaseFigures, model: JointModel) -> None:
    for name, expected in by_hand(model).items():
        np.testing.assert_array_equal(getattr(figures, name), expected, err_msg=name)


def test_one_rank_counts_as_by_hand() -> None:
    ours = learner()
    figures = collect_figures(ours, batches(range(IMAGES)), CLASSES)
    assert figures is not None
    assert_as_by_hand(figures, ours.model)
    assert figures.confusion.sum() == IMAGES
    assert len(np.unique(figures.true_positives)) > 2, "the curves have a course"
    taken = figures.true_positives + figures.false_positives
    share = np.where(taken > 0, figures.true_positives / np.maximum(taken, 1), 0)
    np.testing.assert_array_equal(figures.precision(), share)
    np.testing.assert_array_equal(figures.recall()[:, 0], 1)  # every image is taken for every class at threshold 0


def figures_on(rank: int, ranks: int, folder: Path) -> None:
    ours = learner()
    if rank == 1:
        for buffer in ours.model.explainer.buffers():  # BatchNorm statistics have drifted apart
            if buffer.is_floating_point():
                buffer.add_(0.3)
    middle = -(-IMAGES // ranks)
    mine = [*batches(range(middle))] if rank == 0 else [*batches(range(middle, IMAGES)), padding()]
    figures = collect_figures(ours, iter(mine), CLASSES)
    torch.save({name: torch.from_numpy(getattr(figures, name).copy()) for name in COUNTS}, folder / f"{rank}.pt")


@pytest.mark.slow
def test_two_ranks_with_an_odd_number_of_images_count_as_by_hand(tmp_path: Path) -> None:
    run_on_ranks(figures_on, 2, tmp_path)
    expected = by_hand(learner().model)
    for rank in (0, 1):
        counted = torch.load(tmp_path / f"{rank}.pt", weights_only=True)
        for name in COUNTS:
            np.testing.assert_array_equal(counted[name].numpy(), expected[name], err_msg=name)


def test_one_class_is_told_from_nothing() -> None:
    assert collect_figures(learner(classes=1), batches(range(IMAGES)), ("cat",)) is None
