"""The speed of evaluation: beside bare forward passes, beside Quantus, with two workers, and how it grows.

    python benchmarks/evaluation.py scorer     # minutes
    python benchmarks/evaluation.py quantus    # minutes
    python benchmarks/evaluation.py workers    # half an hour: `distxml evaluate`, Ray and all, for every run
    python benchmarks/evaluation.py growth     # a minute
    python benchmarks/evaluation.py passes     # two minutes
    python benchmarks/evaluation.py scorer --quick    # does it run? So for the others.

Candidates take turns in each round; the first round warms up and does not count, but for `workers`, which leaves out
what is before the first tasks are done. Prints JSON: medians, ranges, ratios.
"""

import argparse
import json
import tempfile
from collections.abc import Callable
from pathlib import Path

import torch
from evaluation_growth import measure_growth
from evaluation_material import photographs, polygons_48
from evaluation_passes import measure_passes
from evaluation_quantus import compare_with_quantus
from evaluation_scorer import compare_with_bare_passes
from evaluation_workers import compare_workers
from train_rounds import available_cores, machine

Mode = Callable[[argparse.Namespace, Path], dict[str, object]]


def main() -> None:
    """Measure and print."""
    arguments = _parser().parse_args()
    before = machine(len(available_cores()))
    torch.set_num_threads(len(available_cores()))
    mode: Mode = arguments.mode
    with tempfile.TemporaryDirectory() as folder:
        results = mode(arguments, Path(folder))
    print(json.dumps({"machine": before, "rounds": _rounds(arguments), "quick": arguments.quick, **results}, indent=2))


def _scorer(arguments: argparse.Namespace, folder: Path) -> dict[str, object]:
    return compare_with_bare_passes(_photographs(arguments, folder, images=1), folder, _rounds(arguments))


def _quantus(arguments: argparse.Namespace, folder: Path) -> dict[str, object]:
    images = 2 if arguments.quick else 16
    return compare_with_quantus(_photographs(arguments, folder, images), folder, _rounds(arguments))


def _workers(arguments: argparse.Namespace, folder: Path) -> dict[str, object]:
    images = 4 if arguments.quick else 12
    return compare_workers(_photographs(arguments, folder, images), folder, _rounds(arguments))


def _growth(arguments: argparse.Namespace, folder: Path) -> dict[str, object]:
    most = 4 if arguments.quick else 32
    return measure_growth(polygons_48(folder, most), folder, _rounds(arguments))


def _passes(arguments: argparse.Namespace, folder: Path) -> dict[str, object]:
    return measure_passes(_photographs(arguments, folder, images=1), _rounds(arguments))


def _photographs(arguments: argparse.Namespace, folder: Path, images: int):
    return photographs(folder, images, size=32 if arguments.quick else 224, width=4 if arguments.quick else 32)


def _rounds(arguments: argparse.Namespace) -> int:
    return 1 if arguments.quick else arguments.rounds


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    modes = parser.add_subparsers(required=True)
    for name, mode, rounds in (
        ("scorer", _scorer, 5),
        ("quantus", _quantus, 3),
        ("workers", _workers, 3),
        ("growth", _growth, 5),
        ("passes", _passes, 3),
    ):
        one = modes.add_parser(name)
        one.set_defaults(mode=mode)
        one.add_argument("--rounds", type=int, default=rounds, help="rounds that count")
        one.add_argument("--quick", action="store_true", help="small images, one round: the figures mean nothing")
    return parser


if __name__ == "__main__":
    main()
