"""Share of a training step that is spent waiting for data.

    python benchmarks/data_wait.py            # minutes
    python benchmarks/data_wait.py --quick    # does it run?

Trains the joint phase in this process with one torch thread a core and the loader's defaults beside it: the demo's
polygons and model, and 500-pixel JPEGs at 224x224 with ResNet-18. A wait is the time between asking for a batch and
having it; an epoch's first batch counts too. The first epoch warms up and does not count. Prints JSON.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from loader_material import photos, polygons

from distxml.config import Recipe, load_settings
from distxml.config.phases import PhaseName
from distxml.data.loader import Loader
from distxml.data.sampler import Rank
from distxml.data.schema import Dataset
from distxml.models.checkpoint import build_model
from distxml.training.epoch import train_step
from distxml.training.learner import Learner, set_learning
from distxml.training.preflight import model_card

PHASE, EPOCHS = PhaseName.JOINT, 2
PAPER = "loader.augmentation={probability: 0.2, preset: paper}"
PHOTOGRAPHS = ["model.classifier=resnet18", "loader.image_size=224", "loader.batch_size=8"]


@dataclass
class Clock:
    """Seconds of an epoch: waiting for data, and altogether."""

    waiting: float = 0.0
    total: float = 0.0
    steps: int = 0


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few images: the figures mean nothing")
    quick = parser.parse_args().quick
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    with tempfile.TemporaryDirectory() as folder:
        results = {
            "polygons, small_resnet, 48x48": measured(polygons(Path(folder), 60 if quick else 1600), []),
            "photographs, resnet18, 224x224": measured(photos(Path(folder), 40 if quick else 120), PHOTOGRAPHS),
        }
    machine = {"cpus": len(os.sched_getaffinity(0)), "platform": platform.platform(), "torch": torch.__version__}
    print(json.dumps({"machine": machine | {"python": sys.version.split()[0]}, **results}, indent=2))


def measured(dataset: Dataset, overrides: list[str]) -> dict[str, float]:
    """Figures of `EPOCHS` epochs of the joint phase with the packaged polygons recipe, changed by `overrides`."""
    recipe = load_settings(Recipe, "polygons", [f"dataset.path={dataset.folder}", PAPER, *overrides])
    loader = Loader(dataset, "train", recipe.loader, Rank(), recipe.run.seed)
    torch.manual_seed(0)
    learner = Learner.build(recipe, PHASE, build_model(model_card(recipe, dataset)), None)
    set_learning(learner.model, learner.phase)
    epoch(loader, learner, 0)
    clocks = [epoch(loader, learner, number) for number in range(1, EPOCHS + 1)]
    waiting, total = sum(clock.waiting for clock in clocks), sum(clock.total for clock in clocks)
    steps = sum(clock.steps for clock in clocks)
    return {
        "images_a_second": round(EPOCHS * len(loader.reader) / total, 1),
        "step_ms": round(1000 * total / steps, 1),
        "waiting_ms": round(1000 * waiting / steps, 2),
        "share_waiting": round(waiting / total, 4),
    }


def epoch(loader: Loader, learner: Learner, number: int) -> Clock:
    """One epoch of training steps."""
    clock, started = Clock(), time.perf_counter()
    asked = started
    for batch in loader.training(number):
        clock.waiting += time.perf_counter() - asked
        train_step(learner, batch)
        clock.steps += 1
        asked = time.perf_counter()
    clock.total = time.perf_counter() - started
    return clock


if __name__ == "__main__":
    main()
