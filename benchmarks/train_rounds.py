"""Candidates that take turns, on cores that are theirs: what `benchmarks/train_*.py` have in common."""

import os
import platform
import statistics
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import torch

Measure = Callable[[], float]
"""Does some work; how fast it was, or how long it took."""


def available_cores() -> list[int]:
    """Numbers of the cores that this process may use."""
    return sorted(os.sched_getaffinity(0))


def pin(cores: list[int]) -> None:
    """Keep every thread of this process, and those that it starts from now on, on these cores."""
    for thread in Path("/proc/self/task").iterdir():
        os.sched_setaffinity(int(thread.name), cores)


def take_turns(candidates: Mapping[str, Measure], rounds: int, title: str, warm_up: int = 1) -> dict[str, list[float]]:
    """What each candidate measured in each round that counts, after `warm_up` rounds that do not."""
    measured: dict[str, list[float]] = {name: [] for name in candidates}
    for number in range(1 - warm_up, rounds + 1):
        for name, measure in candidates.items():
            value = measure()
            print(f"{title}, round {number} of {rounds}: {name} {value:.4g}", file=sys.stderr, flush=True)
            if number > 0:
                measured[name].append(value)
    return measured


def medians(measured: Mapping[str, list[float]]) -> dict[str, float]:
    """The median of each."""
    return {name: statistics.median(values) for name, values in measured.items()}


def ranges(measured: Mapping[str, list[float]], digits: int = 4) -> dict[str, list[float]]:
    """The smallest and the largest of each."""
    return {
        name: [significant(min(values), digits), significant(max(values), digits)] for name, values in measured.items()
    }


def significant(value: float, digits: int = 4) -> float:
    """Rounded to so many significant digits."""
    return float(f"{value:.{digits}g}")


def machine(cores: int) -> dict[str, object]:
    """What the figures hold for."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = [line.split(":")[1].strip() for line in lines if "model name" in line]
    return {
        "cpu": model[0] if model else platform.processor(),
        "cores": cores,
        "load_before": round(os.getloadavg()[0], 2),
        "platform": platform.platform(),
        "python": platform.python_version(),
        "torch": torch.__version__,
    }
