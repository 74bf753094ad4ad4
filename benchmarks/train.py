"""The speed of training: beside a bare loop, beside the reference's procedure, with two workers.

    python benchmarks/train.py worker       # minutes
    python benchmarks/train.py procedure    # minutes
    python benchmarks/train.py workers      # many minutes: starts Ray for every run
    python benchmarks/train.py worker --quick    # does it run? So for the others.

Candidates take turns in each round; the first round warms up and does not count, but for `workers`, where an epoch of
each phase does. Prints JSON: medians, ranges, ratios.
"""

import argparse
import json
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from loader_material import photos
from train_material import Work, small_and_large
from train_procedure import compare_procedure
from train_rounds import available_cores, machine, pin
from train_worker import compare_worker
from train_workers import compare_workers

from distxml.data.schema import open_dataset

Mode = Callable[[argparse.Namespace, Path], dict[str, object]]


def main() -> None:
    """Measure and print."""
    arguments = _parser().parse_args()
    before = machine(len(available_cores()))
    mode: Mode = arguments.mode
    with tempfile.TemporaryDirectory() as folder:
        results = mode(arguments, Path(folder))
    print(json.dumps({"machine": before, "rounds": _rounds(arguments), "quick": arguments.quick, **results}, indent=2))


def _worker(arguments: argparse.Namespace, folder: Path) -> dict[str, object]:
    return compare_worker(_works(arguments, folder), folder, _rounds(arguments))


def _procedure(arguments: argparse.Namespace, folder: Path) -> dict[str, object]:
    cores = available_cores()[: arguments.cores]
    pin(cores)
    torch.set_num_threads(len(cores))
    size, width, steps = (32, 4, 1) if arguments.quick else (arguments.size, arguments.width, arguments.steps)
    dataset = open_dataset(str(arguments.data)) if arguments.data else photos(folder, 10 + 10 * steps)
    overrides = (f"loader.image_size={size}", f"model.explainer_width={width}")
    work = Work(f"resnet18, {size}x{size}, explainer {width} wide", "imagenet_hvz", dataset, overrides)
    results = compare_procedure(work, folder, steps, _rounds(arguments))
    return {"work": work.name, "torch_threads": len(cores), **results}


def _workers(arguments: argparse.Namespace, folder: Path) -> dict[str, object]:
    return compare_workers(_works(arguments, folder), folder, _rounds(arguments))


def _works(arguments: argparse.Namespace, folder: Path) -> list[Work]:
    works = small_and_large(folder, 20 if arguments.quick else arguments.images, arguments.data)
    batch = (f"loader.batch_size={arguments.batch_size}",) if arguments.batch_size else ()
    chosen = [work for work in works if work.name.startswith(arguments.only)]
    return [replace(work, overrides=(*work.overrides, *batch)) for work in chosen]


def _rounds(arguments: argparse.Namespace) -> int:
    return 1 if arguments.quick else arguments.rounds


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    modes = parser.add_subparsers(required=True)
    worker = _mode(modes, "worker", _worker, rounds=5)
    _add_works(worker)
    procedure = _mode(modes, "procedure", _procedure, rounds=5)
    procedure.add_argument("--size", type=int, default=128, help="side of the images; the published recipe has 224")
    procedure.add_argument("--width", type=int, default=32, help="the explainer's, as published")
    procedure.add_argument("--steps", type=int, default=4, help="batches of a measurement")
    procedure.add_argument("--cores", type=int, default=1, help="cores, and as many torch threads")
    workers = _mode(modes, "workers", _workers, rounds=3)
    _add_works(workers)
    return parser


def _add_works(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--images", type=int, default=200, help="photographs; four in five are trained on")
    parser.add_argument("--only", choices=["photographs", "polygons"], default="", help="one of the two works")
    parser.add_argument("--batch-size", type=int, help="images per step; unset: 8 photographs, 16 polygons")


def _mode(modes: argparse._SubParsersAction, name: str, mode: Mode, rounds: int) -> argparse.ArgumentParser:
    parser = modes.add_parser(name)
    parser.set_defaults(mode=mode)
    parser.add_argument("--rounds", type=int, default=rounds, help="rounds that count")
    parser.add_argument("--quick", action="store_true", help="few images, one round: the figures mean nothing")
    parser.add_argument("--data", type=Path, help="a built dataset with masks instead of photo-like JPEGs")
    return parser


if __name__ == "__main__":
    main()
