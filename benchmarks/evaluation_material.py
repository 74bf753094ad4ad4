"""Untrained models, images and scorers for `benchmarks/evaluation.py`."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from loader_material import photos, polygons

from distxml.attribution.explained_model import ExplainedModel
from distxml.config import Recipe, load_settings
from distxml.config.evaluation import EvaluationSettings, Method
from distxml.config.model import ModelSettings
from distxml.data.reader import SplitReader
from distxml.data.rows import Row
from distxml.data.schema import Dataset
from distxml.evaluation.scoring.plan import ScoringSpec, make_plan, points
from distxml.evaluation.scoring.scorer import ImageScorer
from distxml.models.checkpoint import ModelCard, build_model
from distxml.models.joint import JointModel

CPU = torch.device("cpu")


@dataclass(frozen=True)
class Subject:
    """An untrained joint model in eval mode, and images to score it on.

    Attributes:
        name: in the output.
        rows: the images, of the training split.
    """

    name: str
    dataset: Dataset
    rows: list[Row]
    card: ModelCard
    model: JointModel


def photographs(folder: Path, images: int, size: int, width: int) -> Subject:
    """ResNet-18 with an explainer, on photo-like JPEGs of 500×375 pixels."""
    settings = ModelSettings(classifier="resnet18", explainer_width=width, init_bias=1.0)
    dataset = photos(folder, 10 + 2 * images)
    return _subject(f"resnet18, {size}x{size}, explainer {width} wide", dataset, images, settings, size)


def polygons_48(folder: Path, images: int) -> Subject:
    """The demo's networks, on its images."""
    settings = ModelSettings(classifier="small_resnet", width=8, explainer_width=8, init_bias=1.0)
    return _subject("small_resnet, 48x48, explainer 8 wide", polygons(folder, 10 + 2 * images), images, settings, 48)


def _subject(name: str, dataset: Dataset, images: int, settings: ModelSettings, size: int) -> Subject:
    torch.manual_seed(0)
    card = ModelCard(settings=settings, classes=dataset.metadata.classes, image_size=(size, size), dataset="benchmark")
    rows = list(SplitReader(dataset, "train").rows(0, images))
    return Subject(name, dataset, rows, card, build_model(card).eval())


def recipe_of(subject: Subject, folder: Path, settings: EvaluationSettings) -> Recipe:
    """A recipe that evaluates it."""
    overrides = [f"dataset.path={subject.dataset.folder}", f"run.folder={folder}", "run.name=run"]
    return load_settings(Recipe, "voc", overrides).model_copy(update={"evaluation": settings})


def scorer_of(subject: Subject, folder: Path, settings: EvaluationSettings, rows: Sequence[Row]) -> ImageScorer:
    """Scores these rows in this process."""
    size = subject.card.image_size
    recipe = recipe_of(subject, folder, settings)
    plan = make_plan(settings, size, {row.key: row.label for row in rows}, recipe.run.seed)
    explained = ExplainedModel(recipe.scored_gating, subject.model, subject.model)
    return ImageScorer(explained, ScoringSpec(recipe, plan, size, None), CPU)


def points_of(scorer: ImageScorer, rows: Sequence[Row], methods: Sequence[Method]) -> list[int]:
    """Images of every forward pass over perturbed images that `ImageScorer.score` makes, one after the other."""
    planned = tuple(curve for curve in scorer.plan.curves if curve.method in methods)
    sizes: list[int] = []
    for group in scorer._chunks(rows, planned):
        whole, rest = divmod(len(group) * points(planned, len(scorer.plan.fills)), scorer.batch_size)
        sizes += [scorer.batch_size] * whole + [rest] * (rest > 0)
    return sizes
