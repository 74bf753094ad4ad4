"""Images of the scored split with their heatmaps, made with the scored checkpoint."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from distxml.attribution.explained_model import ExplainedModel
from distxml.config.recipe import Recipe
from distxml.data.reader import SplitReader
from distxml.data.rows import Sample, collate
from distxml.data.schema import Split
from distxml.data.subsets import Candidate, Choice, choose
from distxml.evaluation.results import Results
from distxml.monitoring.overlay import colorize, overlay
from distxml.report.pixels import SMALL, data_uri, outlined
from distxml.report.scored_run import ScoredRun

PER_GROUP = 4
MAX_PICTURES = 24


@dataclass(frozen=True)
class Card:
    """One image of the gallery; the three pictures are data URIs."""

    key: str
    label: str
    predicted: str
    right: bool
    probabilities: list[tuple[str, float]]
    pompom: float | None
    heat_mean: float
    annotated: bool
    image: str
    heatmap: str
    overlay: str


@dataclass(frozen=True)
class Gallery:
    """The cards, and what the reader must know about their choice."""

    cards: list[Card]
    split: Split
    checkpoint: str
    seed: int
    groups: list[tuple[str, int, int]]
    """Group in words, images shown, images there are."""
    small: bool
    """Whether single pixels should stay visible."""
    scale: str
    """The colours from 0 to 1, as a data URI."""


def build_gallery(scored_run: ScoredRun, recipe: Recipe, results: Results | None) -> Gallery:
    """The gallery of an evaluated run, or of one that only has its last checkpoint.

    Raises:
        UserError: an image that was scored is no longer there.
    """
    candidates = _evaluated(results) if results else _of_split(scored_run)
    choice = choose(candidates, PER_GROUP, MAX_PICTURES, recipe.run.seed)
    samples = scored_run.samples([candidate.key for candidate in choice.chosen])
    scored = {row["key"]: row for row in results.images.to_pylist()} if results else {}
    return Gallery(
        cards=[_card(scored_run, sample, scored.get(sample.key)) for sample in samples],
        split=scored_run.split,
        checkpoint=scored_run.explainer,
        seed=recipe.run.seed,
        groups=_groups_in_words(choice, scored_run.card.classes),
        small=max(scored_run.card.image_size) < SMALL,
        scale=data_uri(colorize(np.linspace(0, 1, 256)[None])),
    )


def _evaluated(results: Results) -> list[Candidate]:
    rows = results.images.select(["key", "label", "predicted"]).to_pylist()
    return [Candidate(row["key"], row["label"], row["predicted"]) for row in rows]


def _of_split(scored_run: ScoredRun) -> list[Candidate]:
    index = SplitReader(scored_run.dataset, scored_run.split).index()
    return [Candidate(key, label) for key, label in zip(index.keys, index.labels, strict=True)]


@torch.inference_mode()
def _card(scored_run: ScoredRun, sample: Sample, scored: dict[str, Any] | None) -> Card:
    """Pictures from the model; the numbers are the evaluation's (`scored`, a row of it) where there is one."""
    classes, explained = scored_run.card.classes, scored_run.explained
    image = collate([sample]).image
    heatmap = explained.heatmap(image)[0, 0].numpy()  # H×W
    probabilities = scored["probabilities"] if scored else _probabilities(explained, image)
    predicted = scored["predicted"] if scored else int(np.argmax(probabilities))
    ranked = sorted(zip(classes, probabilities, strict=True), key=lambda pair: -pair[1])
    return Card(
        key=sample.key,
        label=classes[sample.label],
        predicted=classes[predicted],
        right=predicted == sample.label,
        probabilities=ranked[:3],
        pompom=scored["pompom"] if scored else None,
        heat_mean=float(heatmap.mean()),
        annotated=sample.mask is not None and bool(sample.mask.any()),
        image=data_uri(sample.image),
        heatmap=data_uri(colorize(heatmap)),
        overlay=data_uri(outlined(overlay(sample.image, heatmap), sample.mask)),
    )


def _probabilities(explained: ExplainedModel, image: Tensor) -> list[float]:
    return explained.logits(image, explained.gate(image))[0].double().softmax(0).tolist()


def _groups_in_words(choice: Choice, classes: tuple[str, ...]) -> list[tuple[str, int, int]]:
    words = {True: ", classified rightly", False: ", classified wrongly", None: ""}
    return [
        (f"{classes[label]}{words[right]}", _shown(choice, label, right), size)
        for (label, right), size in choice.group_sizes.items()
    ]


def _shown(choice: Choice, label: int, right: bool | None) -> int:
    of_label = [candidate for candidate in choice.chosen if candidate.label == label]
    return sum(right is None or (candidate.predicted == label) == right for candidate in of_label)
