"""Does a sweep's objective rank trials by their explanations, and would other images rank them alike?

    python benchmarks/ranking.py            # ten to twenty minutes of one core
    python benchmarks/ranking.py --quick    # does it run?
    python benchmarks/ranking.py --override quick_scores.patches=4

Trains trials of the demo with settings drawn from what tune/polygons.yaml searches, and scores each with the quick
scores' own code on every validation image: with decision flips above random, as the shipped sweeps have it, and with
AOPC in its place. Prints JSON:

- `kendall`: rank correlation of the trials between two samples of so many images that have none in common, over many
  draws: the mean, and what one draw in ten falls below; of the metric alone, and of the objective, which adds accuracy
  (of all images) and takes away half of the POMPOM; with the steps of the quick scores, and with twice as many;
- `confidence`: the trials' logits times factors from 0.25 to 4, which change no decision and no heatmap: rank
  correlation with the ranking before;
- `trials`: what each one measured on all images.
"""

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.stats import kendalltau
from torch import Tensor
from train_material import in_process_trainer
from train_rounds import machine, significant

from distxml.config import Recipe, load_settings
from distxml.config.dataset import DatasetRecipe
from distxml.data.loader import Loader
from distxml.data.sampler import Rank
from distxml.data.schema import Dataset, open_dataset
from distxml.data.subsets import balanced_sample
from distxml.errors import UnrecoverableError
from distxml.evaluation.scoring.quick_scores import QuickScores
from distxml.models.joint import JointModel, JointOutput
from distxml.sources.building.build import build_dataset

Scores = Mapping[str, NDArray[np.float64]]
"""By metric, what each of N images scores."""

SAMPLES = (16, 32, 64, 128)
DRAWS = 200
EXPLANATIONS = {"flips_above_random": 0.5, "aopc": 1.0}
"""Their weights in the objective: as in tune/polygons.yaml; AOPC varies half as much."""
EPOCHS = {"phases.classifier.epochs": 4, "phases.explainer.epochs": 4, "phases.joint.epochs": 6}
"""Half of the demo's or fewer: enough for trials that differ."""


@dataclass(frozen=True)
class Trial:
    """What one trial measured.

    Attributes:
        settings: that were drawn.
        factor: of the logits, in `scaled`.
        accuracy: on all images.
        scores: of each image.
        scaled: the same with other logits.
        longer: the same with twice as many steps.
    """

    settings: dict[str, object]
    factor: float
    accuracy: float
    scores: Scores
    scaled: Scores
    longer: Scores

    def means(self, rows: Sequence[int], scores: Scores) -> dict[str, float]:
        """Of some images: both metrics alone, and both objectives."""
        means = {name: float(values[rows].mean()) for name, values in scores.items()}
        rest = self.accuracy - 0.5 * means["pompom"]
        return {name: means[name] for name in EXPLANATIONS} | {
            f"objective with {name}": rest + weight * means[name] for name, weight in EXPLANATIONS.items()
        }


class Bench:
    """Trials of the demo: those that came to an end, and what became of the others."""

    def __init__(self, folder: Path, dataset: Dataset, overrides: Sequence[str], quick: bool) -> None:
        self.folder, self.dataset, self.overrides, self.quick = folder, dataset, overrides, quick
        self.trials: list[Trial] = []
        self.failed: list[str] = []
        self.scoring_seconds = 0.0
        self.batches = list(Loader(dataset, "val", self.recipe().loader, Rank(), 0).evaluation())
        self.labels = [int(label) for batch in self.batches for label in batch.label]

    def train(self, trials: int) -> None:
        """Until so many have come to their end; a heatmap may die."""
        draw = random.Random(0)
        while len(self.trials) < trials:
            settings, factor = _drawn(draw), 2 ** draw.uniform(-2, 2)
            number = len(self.trials) + len(self.failed)
            recipe = self.recipe(settings | {"run.seed": number, "run.name": f"trial {number}"})
            trainer = in_process_trainer(recipe, self.dataset)
            try:
                trainer.fit()
            except UnrecoverableError as error:
                self.failed.append(f"{settings}: {error}")
                continue
            self.trials.append(self._scored(trainer.model.eval(), recipe, settings, factor))
            print(json.dumps(self.described(self.trials[-1])), file=sys.stderr, flush=True)

    @torch.no_grad()
    def _scored(self, model: JointModel, recipe: Recipe, settings: dict[str, object], factor: float) -> Trial:
        def scaled(image: Tensor) -> JointOutput:
            output = model(image)
            return replace(output, logits=factor * output.logits)

        scores, longer = (QuickScores(each, self.batches) for each in (recipe, _with_twice_the_steps(recipe)))
        right = torch.cat([model(batch.image).logits.argmax(1) == batch.label for batch in self.batches])
        began = time.process_time()
        plain = [scores.score(model, batch) for batch in self.batches]
        self.scoring_seconds += time.process_time() - began
        other = [scores.score(scaled, batch) for batch in self.batches]
        further = [longer.score(model, batch) for batch in self.batches]
        accuracy = float(right.double().mean())
        return Trial(settings, factor, accuracy, *(_joined(parts) for parts in (plain, other, further)))

    def recipe(self, settings: Mapping[str, object] | None = None) -> Recipe:
        """The demo's, with a trial's settings."""
        places = {"dataset.path": self.dataset.folder, "run.folder": self.folder, "run.gallery": 0}
        epochs = dict.fromkeys(EPOCHS, 1) if self.quick else EPOCHS
        given = {**places, **epochs, "scaling.workers": 1, **(settings or {})}
        return load_settings(
            Recipe, "polygons", [*(f"{name}={value}" for name, value in given.items()), *self.overrides]
        )

    def results(self) -> dict[str, object]:
        """All that is printed."""
        everything = range(len(self.labels))
        before = [trial.means(everything, trial.scores) for trial in self.trials]
        after = [trial.means(everything, trial.scaled) for trial in self.trials]
        counts = [count for count in SAMPLES if 2 * count <= len(everything)]
        return {
            "quick_scores": self.recipe().quick_scores.model_dump(include={"patches", "steps", "fill"}),
            "milliseconds_per_image": significant(1000 * self.scoring_seconds / len(self.trials) / len(everything), 3),
            "validation_images": len(everything),
            "kendall": {count: self._kendall(count, lambda trial: trial.scores) for count in counts},
            "kendall, twice the steps": {count: self._kendall(count, lambda trial: trial.longer) for count in counts},
            "confidence": {name: round(tau, 3) for name, tau in agreement(before, after).items()},
            "trials": [self.described(trial) for trial in self.trials],
            "failed": self.failed,
        }

    def _kendall(self, count: int, scores: Callable[[Trial], Scores]) -> dict[str, dict[str, float]]:
        draws = [two_samples(self.labels, count, seed) for seed in range(DRAWS)]
        ranked = [[[trial.means(rows, scores(trial)) for trial in self.trials] for rows in pair] for pair in draws]
        found = [agreement(*sides) for sides in ranked]
        columns = {name: np.array([each[name] for each in found]) for name in found[0]}
        return {
            name: {"mean": round(float(taus.mean()), 3), "lowest tenth": round(float(np.quantile(taus, 0.1)), 3)}
            for name, taus in columns.items()
        }

    def described(self, trial: Trial) -> dict[str, object]:
        """One trial on all images."""
        means = {name: float(values.mean()) for name, values in trial.scores.items()}
        spread = {f"{name}, standard deviation": float(trial.scores[name].std()) for name in EXPLANATIONS}
        scaled = {"aopc with scaled logits": float(trial.scaled["aopc"].mean())}
        figures = {"accuracy": trial.accuracy} | means | spread | scaled | {"factor": trial.factor}
        return {**{name: round(value, 4) for name, value in figures.items()}, "settings": trial.settings}


def _with_twice_the_steps(recipe: Recipe) -> Recipe:
    scores = recipe.quick_scores
    return recipe.model_copy(update={"quick_scores": scores.model_copy(update={"steps": 2 * scores.steps})})


def two_samples(labels: Sequence[int], count: int, seed: int) -> tuple[list[int], list[int]]:
    """Rows of two samples of `count` images that have none in common, each drawn as the quick scores draw theirs."""
    both = balanced_sample(labels, 2 * count, seed)
    first = balanced_sample([labels[row] for row in both], count, seed + 1)
    return [both[place] for place in first], [row for place, row in enumerate(both) if place not in set(first)]


def agreement(before: Sequence[dict[str, float]], after: Sequence[dict[str, float]]) -> dict[str, float]:
    """By what is ranked: Kendall's tau-b between the trials' places before and after; 0 where all of one side tie."""
    ranked = {name: [[each[name] for each in side] for side in (before, after)] for name in before[0]}
    return {name: float(np.nan_to_num(np.asarray(kendalltau(*sides))[0])) for name, sides in ranked.items()}


def _drawn(draw: random.Random) -> dict[str, object]:
    """One point of the space of tune/polygons.yaml."""
    return {
        "loss.kind": draw.choice(["unsupervised", "hybrid"]),
        "loss.beta": draw.choice([0.7, 0.9, 0.95]),
        "phases.explainer.lr_explainer": draw.choice([0.02, 0.04]),
        "phases.joint.alpha": round(draw.uniform(0.3, 0.8), 3),
        "phases.joint.lr_explainer": round(10 ** draw.uniform(-2, -1), 4),
    }


def _joined(parts: Sequence[Scores]) -> Scores:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _polygons(folder: Path, images: int) -> Dataset:
    """The demo's, with more to validate on, so that two samples of 128 have no image in common."""
    source = {"kind": "polygons", "images": images, "image_size": 48}
    splits = {"train": 0.6, "val": 0.38, "test": 0.02}
    build_dataset(DatasetRecipe.model_validate({"name": "polygons", "source": source, "splits": splits}), folder)
    return open_dataset(folder)


def main() -> None:
    """Train, score, draw, print."""
    arguments = _parser().parse_args()
    torch.set_num_threads(1)
    began = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        dataset = _polygons(Path(folder) / "polygons", 100 if arguments.quick else 1000)
        bench = Bench(Path(folder), dataset, arguments.override, arguments.quick)
        bench.train(2 if arguments.quick else arguments.trials)
    cpu = {"cpu_seconds": round(time.process_time() - began)}
    print(json.dumps({"machine": machine(1), **cpu, **bench.results()}, indent=2))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=10, help="that come to their end")
    parser.add_argument("--override", nargs="*", default=[], help="more settings, A.B=C")
    parser.add_argument("--quick", action="store_true", help="two trials of one epoch a phase: does it run?")
    return parser


if __name__ == "__main__":
    main()
