"""A few perturbed images, drawn by seed, and the heatmap that every method makes of each."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from distxml.attribution.methods import HeatmapMethod, make_method
from distxml.config.evaluation import Method
from distxml.config.recipe import Recipe
from distxml.data.rows import Sample, collate
from distxml.data.schema import Split
from distxml.data.subsets import Candidate, choose
from distxml.evaluation.results import Results
from distxml.metrics.entry import IN_WORDS
from distxml.metrics.lookup import metric_entry
from distxml.monitoring.overlay import colorize
from distxml.report.pixels import SMALL, Pixels, outlined
from distxml.report.scored_run import ScoredRun
from distxml.report.style import without

PER_GROUP, MAX_ROWS = 2, 6


@dataclass(frozen=True)
class MethodHeatmap:
    """A method's heatmap of one image.

    Attributes:
        method: its name.
        picture: H×W×3 RGB, the in-model heatmap from 0 to 1, any other from 0 to its own maximum; below 0 as 0.
        pompom_equal_area: the evaluation's; None where the image is not annotated.
    """

    method: Method
    picture: Pixels
    pompom_equal_area: float | None


@dataclass(frozen=True)
class ImageRow:
    """One image: `image` is H×W×3 RGB with the mask's outline; `probability` is that of the class `target`."""

    key: str
    label: str
    target: str
    probability: float
    image: Pixels
    heatmaps: list[MethodHeatmap]


@dataclass(frozen=True)
class HeatmapGrid:
    """The rows, and what the reader must know about their choice."""

    methods: list[Method]
    rows: list[ImageRow]
    split: Split
    seed: int
    perturbed: int
    """Images that they were drawn from."""

    @property
    def small(self) -> bool:
        """Whether single pixels should stay visible."""
        return max(self.rows[0].image.shape) < SMALL

    @property
    def caption(self) -> str:
        """How it was made."""
        own = "Colours run from 0 and below (black) to a heatmap’s own maximum (pale yellow)"
        scale = f"{own}, but to 1 for the in-model one." if "in_model" in self.methods else f"{own}."
        return (
            f"Heatmaps of {len(self.rows)} images, drawn at random with seed {self.seed} from the {self.perturbed} "
            f"perturbed ones of the {self.split} split, some of each class and outcome, not picked by hand. {scale} "
            "Beside an image: the class that is explained and its probability. Under a heatmap: its POMPOM of equal "
            "area, the share of the pixels outside the annotated region (green line) that are among the hottest, as "
            f"many as the region has; {IN_WORDS[metric_entry('pompom_equal_area').better]}; – where the image is not "
            "annotated."
        )


SampleProgress = Callable[[Sequence[Sample], str], Iterable[Sample]]
"""Iterates over images and may show how far it is: some methods take their time."""


def build_heatmap_grid(
    scored_run: ScoredRun, recipe: Recipe, results: Results, track: SampleProgress
) -> HeatmapGrid | None:
    """The grid, by the models that were scored; None where no heatmap was made.

    Args:
        scored_run: the models and the images.
        recipe: whose seed draws the images.
        results: what was measured; perturbed images are drawn from it.
        track: shows how far it is.

    Raises:
        UserError: an image that was scored is no longer there, or a method cannot explain the model.
    """
    measured = _measured(results)
    if not measured:
        return None
    scored = {row["key"]: row for row in results.images.to_pylist() if row["key"] in measured}
    candidates = [Candidate(key, row["label"], row["predicted"]) for key, row in scored.items()]
    chosen = choose(candidates, PER_GROUP, MAX_ROWS, recipe.run.seed).chosen
    settings = results.summary.settings
    names = without(settings.methods, "random")
    methods: dict[Method, HeatmapMethod] = {
        name: make_method(name, scored_run.explained, settings, recipe.run.seed) for name in names
    }
    samples = scored_run.samples([candidate.key for candidate in chosen])
    rows = [
        _row(scored_run, sample, scored[sample.key], measured[sample.key], methods)
        for sample in track(samples, "heatmaps by every method")
    ]
    return HeatmapGrid(list(methods), rows, scored_run.split, recipe.run.seed, len(measured))


def _measured(results: Results) -> dict[str, dict[Method, dict[str, Any]]]:
    """The rows of the table of heatmaps by key and method."""
    found: dict[str, dict[Method, dict[str, Any]]] = {}
    for row in results.heatmaps.to_pylist():
        found.setdefault(row["key"], {})[row["method"]] = row
    return found


def _row(
    scored_run: ScoredRun,
    sample: Sample,
    scored: dict[str, Any],
    measured: dict[Method, dict[str, Any]],
    methods: dict[Method, HeatmapMethod],
) -> ImageRow:
    """Pictures from the model, numbers from the evaluation."""
    image = collate([sample]).image
    target = next(iter(measured.values()))["target"]
    return ImageRow(
        key=sample.key,
        label=scored_run.card.classes[sample.label],
        target=scored_run.card.classes[target],
        probability=scored["probabilities"][target],
        image=outlined(sample.image, sample.mask),
        heatmaps=[
            MethodHeatmap(name, colorize(_scaled(name, method, image, target)), measured[name]["pompom_equal_area"])
            for name, method in methods.items()
        ],
    )


def _scaled(name: Method, method: HeatmapMethod, image: torch.Tensor, target: int) -> NDArray[np.float32]:
    """H×W, as it is coloured: what speaks against the class is black."""
    heat = method.heatmap(image, torch.tensor([target]))[0, 0].detach().numpy().clip(min=0)
    highest = heat.max()
    return heat if name == "in_model" or not highest > 0 else heat / highest
