"""A small untrained joint model whose heatmap and logits vary, rows to score it on, and what scores them."""

import copy
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import nn

from distxml.attribution.explained_model import ExplainedModel
from distxml.config.evaluation import EvaluationSettings, Scoring
from distxml.config.model import ModelSettings
from distxml.config.phases import PhaseSettings, PhasesSettings
from distxml.config.recipe import DatasetSettings, LoaderSettings, Recipe, RunSettings
from distxml.config.training import LossSettings
from distxml.data.rows import Row, collate, decode
from distxml.evaluation.scoring.plan import ScoringSpec, make_plan
from distxml.evaluation.scoring.scorer import ImageScorer
from distxml.models.checkpoint import LoadedModel, ModelCard, build_model

SIZE = (32, 32)
CLASSES = ("circle", "triangle")
SEED = 5
PHASE1_SEED = 5
"""Of the weights of the model that stands for the one after the classifier phase."""

torch.set_num_threads(1)


def small_model(seed: int = 0) -> LoadedModel:
    """Explainer and VGG of width 4, for 32×32; fitted to noise so that the image does change what comes out."""
    fitted = copy.deepcopy(_fitted(seed))
    torch.manual_seed(seed)  # whatever is drawn next is the same, be the model fitted now or before
    return fitted


@cache
def _fitted(seed: int) -> LoadedModel:
    torch.manual_seed(seed)
    settings = ModelSettings(classifier="vgg", width=4, explainer_width=4, init_bias=0.3)
    card = ModelCard(settings=settings, classes=CLASSES, image_size=SIZE, dataset="small")
    model = build_model(card)
    pictures = torch.stack([_picture(row) for row in small_rows(16, seed=1)])
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight)
        _settle_batchnorm(model.explainer, pictures)
        _spread(model.classifier, pictures, model.explainer(pictures))
    return LoadedModel(model.eval(), card)


def _picture(row: Row) -> torch.Tensor:
    return collate([decode(row, SIZE)]).image[0]


def _settle_batchnorm(explainer: nn.Module, pictures: torch.Tensor) -> None:
    """Running statistics that fit, so that the heatmap is neither black nor white."""
    explainer.train()
    for _ in range(60):
        explainer(pictures)
    explainer.eval()


def _spread(classifier: nn.Module, pictures: torch.Tensor, heatmap: torch.Tensor) -> None:
    """Every linear layer's outputs get mean 0 and standard deviation 1 over the pictures."""

    def standardize(layer: nn.Module, inputs: object, outputs: torch.Tensor) -> torch.Tensor:
        assert isinstance(layer, nn.Linear)
        factor = 1 / outputs.std(0)
        shift = -outputs.mean(0) * factor
        layer.weight.mul_(factor[:, None])
        layer.bias.mul_(factor).add_(shift)
        return outputs * factor + shift

    classifier.eval()
    hooks = [
        module.register_forward_hook(standardize) for module in classifier.modules() if isinstance(module, nn.Linear)
    ]
    classifier(pictures, heatmap)
    for hook in hooks:
        hook.remove()


def small_recipe(folder: Path, evaluation: EvaluationSettings, workers: int = 1) -> Recipe:
    """A recipe for that model."""
    phase = PhaseSettings(epochs=1, alpha=0.75, lr_classifier=0.1, lr_explainer=0.1)
    alone = PhaseSettings(epochs=1, alpha=1.0, lr_classifier=0.1, lr_explainer=0)
    recipe = Recipe(
        dataset=DatasetSettings(path=str(folder / "dataset")),
        loader=LoaderSettings(image_size=SIZE),
        loss=LossSettings(kind="hybrid", beta=0.8, gamma=2.0),
        phases=PhasesSettings(classifier=alone, explainer=phase, joint=phase),
        evaluation=evaluation,
        run=RunSettings(name="run", folder=str(folder), seed=SEED),
    )
    return recipe.model_copy(update={"scaling": recipe.scaling.model_copy(update={"workers": workers})})


def small_explained(f: Scoring = "recompute") -> ExplainedModel:
    """That model, or for `classifier_phase` another one, explained by the first."""
    explainer = small_model().model
    if f == "classifier_phase":
        return ExplainedModel("white", small_model(PHASE1_SEED).model, explainer)
    return ExplainedModel(f, explainer, explainer)


def small_spec(folder: Path, settings: EvaluationSettings, rows: Sequence[Row]) -> ScoringSpec:
    """To score these rows."""
    target = CLASSES.index(settings.target) if settings.target in CLASSES else None
    plan = make_plan(settings, SIZE, {row.key: row.label for row in rows}, SEED)
    return ScoringSpec(small_recipe(folder, settings), plan, SIZE, target)


def small_scorer(
    folder: Path, settings: EvaluationSettings, rows: Sequence[Row], explained: ExplainedModel | None = None
) -> ImageScorer:
    """Scores them on the CPU."""
    explained = explained or small_explained(settings.f)
    return ImageScorer(explained, small_spec(folder, settings, rows), torch.device("cpu"))


def small_rows(count: int, seed: int = 0) -> list[Row]:
    """Noise with a bright square, its mask; row 0 is not annotated, row 1 has an empty mask, row 2 a full one."""
    generator = np.random.default_rng(seed)
    rows: list[Row] = []
    for index in range(count):
        image = generator.integers(0, 120, (*SIZE, 3), dtype=np.uint8)
        mask = np.zeros(SIZE, np.uint8)
        top, left = generator.integers(0, 20, 2)
        image[top : top + 10, left : left + 10] += 120
        mask[top : top + 10, left : left + 10] = 255
        masks = {0: None, 1: encode(mask * 0), 2: encode(mask * 0 + 255)}
        rows.append(Row(f"image-{index}", encode(image), masks.get(index, encode(mask)), index % 2))
    return rows


def encode(pixels: np.ndarray) -> bytes:
    """As PNG."""
    return cv2.imencode(".png", pixels)[1].tobytes()
