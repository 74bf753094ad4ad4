"""`train.py workers`: images per second of two workers with a core each beside those of one worker with one core.

The command `distxml train` runs, as a user runs it: Ray, a driver, workers, DDP over gloo. All of its processes, Ray's
too, share the cores that it is given: one for one worker, two for two. `1 worker, 2 cores` is what one worker gains
from a core that only its loader and Ray use. The figures are those that the run logs about itself.
"""

import os
import statistics
import subprocess
import sys
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from train_material import Work
from train_rounds import Measure, available_cores, medians, pin, ranges, significant, take_turns

from distxml.config.phases import PhaseName
from distxml.config.run_folder import RunFolder
from distxml.monitoring.metrics_log import read_metrics

EPOCHS = (2, 2, 3)
"""Of the phases; the first epoch of each warms up and does not count."""
ONE, TWO, ONE_WITH_ROOM = "1 worker, 1 core", "2 workers, 2 cores", "1 worker, 2 cores"


@dataclass(frozen=True)
class Runs:
    """Runs of one work with so many workers on so many cores, one after the other."""

    work: Work
    folder: Path
    workers: int
    cores: list[int]
    by_phase: dict[PhaseName, list[float]]

    def measure(self, number: int) -> float:
        """Train once; images per second in the joint phase."""
        name = f"{self.work.recipe}-{self.workers}-{len(self.cores)}-{number}"
        run = RunFolder(self.folder / "runs" / name)
        self._train(name)
        speeds = phase_speeds(run)
        for phase, speed in speeds.items():
            self.by_phase.setdefault(phase, []).append(speed)
        return speeds[PhaseName.JOINT]

    def _train(self, name: str) -> None:
        epochs = [f"phases.{phase}.epochs={epochs}" for phase, epochs in zip(PhaseName, EPOCHS, strict=True)]
        overrides = self.work.settings(self.folder / "runs", *epochs, f"run.name={name}")
        command = [sys.executable, "-c", "from distxml.cli.main import run; run()", "train", self.work.recipe]
        log = self.folder / f"{name}.log"
        everywhere = available_cores()
        pin(self.cores)  # the processes that we start stay there
        try:
            with log.open("w") as output:
                done = subprocess.run(
                    [*command, *overrides, f"scaling.workers={self.workers}"],
                    stdout=output,
                    stderr=output,
                    env=os.environ | {"RAY_ADDRESS": "local"},
                    check=False,
                )
        finally:
            pin(everywhere)
        if done.returncode != 0:
            raise SystemExit(log.read_text())


def phase_speeds(run: RunFolder) -> dict[PhaseName, float]:
    """Images per second of each phase: the median over its epochs, the first left out."""
    epochs = [event for event in read_metrics(run.metrics) if event["event"] == "epoch" and event["epoch"] > 1]
    return {
        phase: statistics.median(event["pace"]["images_per_second"] for event in epochs if event["phase"] == phase)
        for phase in PhaseName
    }


def compare_workers(works: list[Work], folder: Path, rounds: int) -> dict[str, object]:
    """Figures for each work; the machine has two cores at least."""
    cores = available_cores()
    if len(cores) < 2:
        raise SystemExit("train.py workers: needs two cores")
    return {work.name: _compared(work, folder, cores, rounds) for work in works}


def _compared(work: Work, folder: Path, cores: list[int], rounds: int) -> dict[str, object]:
    runs = {
        ONE: Runs(work, folder, 1, cores[:1], {}),
        TWO: Runs(work, folder, 2, cores[:2], {}),
        ONE_WITH_ROOM: Runs(work, folder, 1, cores[:2], {}),
    }
    measured = take_turns({name: _numbered(run) for name, run in runs.items()}, rounds, work.name, warm_up=0)
    middle = medians(measured)
    return {
        "images_a_second": {name: significant(value) for name, value in middle.items()},
        "range": ranges(measured),
        "two_workers_to_one": {
            "one with 1 core": round(middle[TWO] / middle[ONE], 3),
            "one with 2 cores": round(middle[TWO] / middle[ONE_WITH_ROOM], 3),
        },
        "two_to_one_by_phase": {
            phase: round(statistics.median(runs[TWO].by_phase[phase]) / statistics.median(runs[ONE].by_phase[phase]), 3)
            for phase in PhaseName
        },
    }


def _numbered(runs: Runs) -> Measure:
    numbers = count()
    return lambda: runs.measure(next(numbers))
