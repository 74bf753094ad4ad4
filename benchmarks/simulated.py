"""The command line of the simulations: which study, how many made-up evaluations, a line per case and last JSON."""

import argparse
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Result = dict[str, Any]
Studies = Mapping[str, tuple[Callable[[int], Iterator[Result]], int]]
"""By name: what yields a result per case, and in how many made-up evaluations it usually does."""


def run_study(description: str | None, studies: Studies, option: str) -> None:
    """Run the study that the command names.

    Args:
        description: of the script.
        studies: to choose from.
        option: that says how many made-up evaluations.
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", choices=studies)
    parser.add_argument(option, type=int, dest="times", help=f"made-up {option.removeprefix('--')} a case")
    arguments = parser.parse_args()
    study, usual = studies[arguments.study]
    results = []
    for result in study(arguments.times or usual):
        results.append(result)
        shown = [f"{value:.3f}" if isinstance(value, float) else str(value) for value in result.values()]
        print("  ".join(f"{name} {value}" for name, value in zip(result, shown, strict=True)), flush=True)
    print(json.dumps(results))
