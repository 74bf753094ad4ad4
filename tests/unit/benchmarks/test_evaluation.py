"""What `benchmarks/evaluation.py` compares with does the same work: as many images, in batches as large."""

import dataclasses
from pathlib import Path

import pytest
import torch

from distxml.config.evaluation import EvaluationSettings
from distxml.config.model import ModelSettings
from distxml.models.checkpoint import ModelCard
from distxml.models.joint import JointModel
from tests.unit.benchmarks.test_train import benchmark
from tests.unit.evaluation.small_model import CLASSES, SIZE, small_rows

SETTINGS = EvaluationSettings(
    methods=("in_model", "random"),
    orders=("morf", "lerf"),
    patch_sizes=(8, 16),
    min_patches=4,
    fills=("black", "blur"),
    steps=7,
    batch_size=10,
)


class Counted(JointModel):
    """Notes how many images each forward pass has."""

    def __init__(self) -> None:
        torch.manual_seed(0)
        settings = ModelSettings(classifier="small_resnet", width=2, explainer_width=2, init_bias=1.0)
        super().__init__(settings, len(CLASSES))
        self.sizes: list[int] = []

    def forward(self, image, heatmap=None):
        self.sizes.append(len(image))
        return super().forward(image, heatmap)


@pytest.fixture
def subject(tmp_path: Path):
    """Five images, as the benchmark has them."""
    material = benchmark("evaluation_material")
    model = Counted().eval()
    settings = ModelSettings(classifier="small_resnet", width=2, explainer_width=2)
    card = ModelCard(settings=settings, classes=CLASSES, image_size=SIZE, dataset="a test")
    dataset = benchmark("loader_material").polygons(tmp_path, 20)
    return material.Subject("small", dataset, small_rows(5), card, model)


@pytest.mark.parametrize("f", ["recompute", "fixed", "classifier_phase"])
def test_bare_passes_are_those_that_scoring_makes(subject, tmp_path: Path, f: str):
    material, scoring = benchmark("evaluation_material"), benchmark("evaluation_scorer")
    scorer = material.scorer_of(subject, tmp_path, SETTINGS.model_copy(update={"f": f}), subject.rows)
    scorer.score(subject.rows, SETTINGS.methods)
    found = [size for size in subject.model.sizes if size > 1]  # one by one: the clean pass
    expected = [size for size in material.points_of(scorer, subject.rows, SETTINGS.methods) if size > 1]
    assert found == expected and len(set(expected)) > 1  # full batches, and the last ones of groups
    subject.model.sizes.clear()
    assert scoring.bare_passes(scorer, material.points_of(scorer, subject.rows, SETTINGS.methods))() > 0
    assert [size for size in subject.model.sizes if size > 1] == expected


def test_quantus_makes_the_same_curves(subject, tmp_path: Path):
    pytest.importorskip("quantus")
    with_quantus = benchmark("evaluation_quantus")
    figures = with_quantus.compare_with_quantus(dataclasses.replace(subject, rows=small_rows(3)), tmp_path, rounds=1)
    images = [size for size in subject.model.sizes if size > 1]
    assert min(figures["seconds"]["recompute"]["ours_is_faster_by"].values()) > 0
    steps = 16  # as many patches as there are
    ours, theirs = images.count(3 * (1 + steps)), images.count(3)
    assert ours == 2 * 2, "a batch of all points, in a round that warms up and one that counts, for both f"
    assert theirs == 2 * 3 * (1 + 1 + steps), "the class, x(0) and every step; with f recomputed a second time"


def test_growth_is_of_what_is_scored(subject, tmp_path: Path):
    growth = benchmark("evaluation_growth")
    figures = growth.measure_growth(dataclasses.replace(subject, rows=small_rows(4)), tmp_path, rounds=1)
    each = 1 + 2 * (1 + 2 * 23)  # x(0); per fill the wholly replaced image, and the rest of both methods' 24 steps
    assert figures["images"]["passes"] == {"1": each, "2": 2 * each, "4": 4 * each}
    assert figures["steps"]["passes"]["24"] == figures["methods"]["passes"]["2"] == each
