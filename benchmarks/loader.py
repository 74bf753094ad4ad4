"""Images per second of each loader backend, against torch's DataLoader with OpenCV + albumentations, and torchvision.

    python benchmarks/loader.py            # minutes
    python benchmarks/loader.py --quick    # does it run?

All candidates take turns in each round, one epoch each; the first round warms up and does not count. Prints JSON:
the median and the range over the rounds, and the ratio of our default (`ours`) to each other one.
"""

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import cv2
import torch
from loader_material import photos, polygons
from loader_rivals import OpenCvSamples, TorchvisionSamples, data_loader, images_of

from distxml.config.recipe import LoaderSettings
from distxml.data.inspect import verified_rows
from distxml.data.loader import Loader
from distxml.data.sampler import Rank
from distxml.data.schema import Dataset

BATCH, SIZES = 16, {"photos": (224, 224), "polygons": (48, 48)}
MODES = {"plain": 0.0, "paper, 1 image in 5": 0.2, "paper, every image": 1.0}
"""Probability that an image is augmented; 0.2 is the paper's."""

Epoch = Callable[[int], Iterable[int]]
"""The sizes of the batches of an epoch, given its number."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few images, one round: the figures mean nothing")
    parser.add_argument("--rounds", type=int, default=5, help="rounds that count")
    arguments = parser.parse_args()
    images, rounds = (40, 1) if arguments.quick else (320, arguments.rounds)
    results: dict[str, object] = {"machine": _machine(), "batch": BATCH, "rounds": rounds, "quick": arguments.quick}
    with tempfile.TemporaryDirectory() as folder:
        for dataset in (photos(Path(folder), images), polygons(Path(folder), 4 * images)):
            results[dataset.metadata.name] = {
                mode: _compared(dataset, probability, rounds) for mode, probability in MODES.items()
            }
    print(json.dumps(results, indent=2))


def _compared(dataset: Dataset, probability: float, rounds: int) -> dict[str, object]:
    candidates = _candidates(dataset, probability)
    speeds: dict[str, list[float]] = {name: [] for name in candidates}
    for number in range(rounds + 1):
        for name, epoch in candidates.items():
            speed = _images_a_second(epoch(number))
            if number > 0:
                speeds[name].append(speed)
            print(f"{dataset.metadata.name}, p={probability}, {number}: {name} {speed:.0f}", file=sys.stderr)
    medians = {name: statistics.median(values) for name, values in speeds.items()}
    return {
        "images_a_second": {name: round(value, 1) for name, value in medians.items()},
        "range": {name: [round(min(values), 1), round(max(values), 1)] for name, values in speeds.items()},
        "ours_to": {name: round(medians["ours"] / value, 2) for name, value in medians.items() if name != "ours"},
    }


def _candidates(dataset: Dataset, probability: float) -> dict[str, Epoch]:
    size, rows = SIZES[dataset.metadata.name], list(verified_rows(dataset, "train"))
    cores = len(os.sched_getaffinity(0))
    opencv = data_loader(OpenCvSamples(rows, size, probability), BATCH, cores)
    torchvision = data_loader(TorchvisionSamples(rows, size, probability), BATCH, cores)
    return {
        "ours": _ours(dataset, "opencv", probability),
        "ours, DALI on the CPU": _ours(dataset, "dali", probability),
        "DataLoader, OpenCV and albumentations": lambda _: images_of(opencv),
        "DataLoader, torchvision": lambda _: images_of(torchvision),
    }


def _ours(dataset: Dataset, backend: str, probability: float) -> Epoch:
    settings = LoaderSettings.model_validate(
        {
            "backend": backend,
            "image_size": SIZES[dataset.metadata.name],
            "batch_size": BATCH,
            "threads": len(os.sched_getaffinity(0)),
            "augmentation": {"probability": probability, "distortion": {"piecewise_affine": 0}},  # the others have none
        }
    )
    loader = Loader(dataset, "train", settings, Rank(), 0)

    def epoch(number: int) -> Iterator[int]:
        return (len(batch) for batch in (loader.training(number) if probability else loader.evaluation()))

    return epoch


def _images_a_second(sizes: Iterable[int]) -> float:
    start = time.perf_counter()
    images = sum(sizes)
    return images / (time.perf_counter() - start)


def _machine() -> dict[str, object]:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = [line.split(":")[1].strip() for line in lines if "model name" in line]
    return {
        "cpu": model[0] if model else platform.processor(),
        "cores": len(os.sched_getaffinity(0)),
        "load_before": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "opencv": cv2.__version__,
    }


if __name__ == "__main__":
    main()
