"""Images of the scored split with their heatmaps, made with the scored checkpoint."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from distxml.config.recipe import Recipe
from distxml.config.run_folder import RunFolder
from distxml.data.digest import file_digest
from distxml.data.location import locate
from distxml.data.reader import SplitReader
from distxml.data.rows import Sample, collate, decode
from distxml.data.schema import METADATA_NAME, Dataset, Split, open_dataset
from distxml.errors import UserError
from distxml.evaluation.results import Results, Summary
from distxml.models.checkpoint import WEIGHTS_NAME, LoadedModel, check_classes, load_model
from distxml.monitoring.overlay import colorize, overlay
from distxml.report.gallery_choice import Candidate, Choice, choose

PER_GROUP = 4
MOST = 24
OUTLINE = (64, 255, 128)
"""RGB of the line around the annotated region; a colour that heat does not have."""


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
    """Whether single pixels should stay visible when a picture is enlarged."""
    scale: str
    """The colours from 0 to 1, as a data URI."""


def build_gallery(run: RunFolder, recipe: Recipe, results: Results | None) -> Gallery:
    """The gallery of an evaluated run, or of one that only has its last checkpoint.

    Raises:
        UserError: the dataset or the checkpoint is missing, or has changed since the evaluation.
    """
    dataset = _open(recipe, results)
    split = results.summary.split if results else recipe.evaluation.split
    folder = _checkpoint(run, recipe, results)
    if results:
        _check_unchanged(results.summary, folder, dataset)
    loaded = load_model(folder)
    check_classes(loaded.card, dataset.metadata.classes, folder, str(dataset.folder))
    candidates = _evaluated(results) if results else _of_split(dataset, split)
    choice = choose(candidates, PER_GROUP, MOST, recipe.run.seed)
    samples = _samples(dataset, split, [candidate.key for candidate in choice.chosen], loaded.card.image_size)
    scored = {row["key"]: row for row in results.images.to_pylist()} if results else {}
    return Gallery(
        cards=[_card(loaded, sample, scored.get(sample.key)) for sample in samples],
        split=split,
        checkpoint=folder.relative_to(run.path).as_posix(),
        seed=recipe.run.seed,
        groups=_groups_in_words(choice, loaded.card.classes),
        small=max(loaded.card.image_size) < 128,
        scale=_data_uri(colorize(np.linspace(0, 1, 256)[None])),
    )


def _checkpoint(run: RunFolder, recipe: Recipe, results: Results | None) -> Path:
    if results is None:
        folder = run.checkpoint(3, recipe.evaluation.checkpoint)
        if not folder.is_dir():
            raise UserError("the third phase has not written a checkpoint yet")
        return folder
    folder = run.path / results.summary.scored.checkpoint
    if not folder.resolve().is_relative_to(run.path.resolve()):
        raise UserError(f"{run.evaluation}: the scored checkpoint {folder} lies outside the run")
    return folder


def _open(recipe: Recipe, results: Results | None) -> Dataset:
    """The dataset where it was scored, or else, should it be gone from there, where the recipe says that it lies."""
    places = [results.summary.dataset_path, recipe.dataset.path] if results else [recipe.dataset.path]
    found = next((place for place in places if locate(place).is_folder()), recipe.dataset.path)
    return open_dataset(found)


def _check_unchanged(summary: Summary, checkpoint: Path, dataset: Dataset) -> None:
    again = "run `distxml evaluate` again"
    if _sha256(checkpoint / WEIGHTS_NAME) != summary.scored.sha256:
        raise UserError(f"the weights in {checkpoint} are not those that were scored; {again}")
    if dataset.folder.digest(METADATA_NAME) != summary.dataset_sha256:
        raise UserError(f"the dataset in {dataset.folder} is not the one that was scored; {again}")


def _sha256(path: Path) -> str:
    try:
        return file_digest(path)
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror or error})") from None


def _evaluated(results: Results) -> list[Candidate]:
    rows = results.images.select(["key", "label", "predicted"]).to_pylist()
    return [Candidate(row["key"], row["label"], row["predicted"]) for row in rows]


def _of_split(dataset: Dataset, split: Split) -> list[Candidate]:
    index = SplitReader(dataset, split).index()
    return [Candidate(key, label) for key, label in zip(index.keys, index.labels, strict=True)]


def _samples(dataset: Dataset, split: Split, keys: Sequence[str], image_size: tuple[int, int]) -> list[Sample]:
    """The images of those keys, in that order; only their rows are kept in memory."""
    reader = SplitReader(dataset, split)
    place_of_key = {key: place for place, key in enumerate(reader.index().keys)}
    missing = set(keys) - set(place_of_key)
    if missing:
        raise UserError(
            f"dataset {dataset.folder}: image {min(missing)} was scored but is no longer in its {split} split"
        )
    rows = reader.rows_at(sorted(place_of_key[key] for key in keys))
    samples = {row.key: decode(row, image_size) for row in rows}
    return [samples[key] for key in keys]


@torch.inference_mode()
def _card(loaded: LoadedModel, sample: Sample, scored: dict[str, Any] | None) -> Card:
    """Pictures from the model; the numbers are the evaluation's (`scored`, a row of it) where there is one."""
    output = loaded.model(collate([sample]).image)
    probabilities = scored["probabilities"] if scored else output.logits[0].double().softmax(0).tolist()
    heatmap = output.heatmap[0, 0].numpy()  # H×W
    predicted = scored["predicted"] if scored else int(np.argmax(probabilities))
    ranked = sorted(zip(loaded.card.classes, probabilities, strict=True), key=lambda pair: -pair[1])
    return Card(
        key=sample.key,
        label=loaded.card.classes[sample.label],
        predicted=loaded.card.classes[predicted],
        right=predicted == sample.label,
        probabilities=ranked[:3],
        pompom=scored["pompom"] if scored else None,
        heat_mean=float(heatmap.mean()),
        annotated=sample.mask is not None and bool(sample.mask.any()),
        image=_data_uri(sample.image),
        heatmap=_data_uri(colorize(heatmap)),
        overlay=_data_uri(_outlined(overlay(sample.image, heatmap), sample.mask)),
    )


def _outlined(picture: NDArray[np.uint8], mask: NDArray[np.uint8] | None) -> NDArray[np.uint8]:
    """A line one pixel wide just outside the mask."""
    if mask is None:
        return picture
    line = cv2.dilate(mask, np.ones((3, 3), np.uint8)) > mask
    return np.where(line[..., None], np.array(OUTLINE, np.uint8), picture)


def _data_uri(picture: NDArray[np.uint8]) -> str:
    _, encoded = cv2.imencode(".png", picture[..., ::-1])
    return f"data:image/png;base64,{base64.b64encode(encoded.tobytes()).decode()}"


def _groups_in_words(choice: Choice, classes: tuple[str, ...]) -> list[tuple[str, int, int]]:
    words = {True: ", classified rightly", False: ", classified wrongly", None: ""}
    return [
        (f"{classes[label]}{words[right]}", _shown(choice, label, right), size)
        for (label, right), size in choice.group_sizes.items()
    ]


def _shown(choice: Choice, label: int, right: bool | None) -> int:
    of_label = [candidate for candidate in choice.chosen if candidate.label == label]
    return sum(right is None or (candidate.predicted == label) == right for candidate in of_label)
