"""`evaluation.py workers`: forward passes per second of two workers with a core each beside those of one with one core.

The command `distxml evaluate` runs, as a user runs it: Ray, a driver, actors, rows on the disk. All of its processes,
Ray's too, share the cores that it is given: one for one worker, two for two. `1 worker, 2 cores` is what one worker,
with one torch thread, gains from a core that only the driver and Ray use. Passes are counted as the command reports
them, from the first tenth to the last, so that the start of Ray and the loading of the model are left out; the end,
where one worker may wait for the other, is in it.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from evaluation_material import Subject, recipe_of
from train_rounds import Measure, available_cores, medians, pin, ranges, significant, take_turns

from distxml.config.evaluation import EvaluationSettings
from distxml.config.phases import PhaseName
from distxml.config.run_folder import RunFolder
from distxml.models.checkpoint import save_model

ONE, TWO, ONE_WITH_ROOM = "1 worker, 1 core", "2 workers, 2 cores", "1 worker, 2 cores"
SETTINGS = EvaluationSettings(
    split="train",
    methods=("in_model", "random"),
    patch_sizes=(16,),
    min_patches=1,
    fills=("black", "blur"),
    steps=24,
    bootstrap=100,
)
PROGRESS = re.compile(r"evaluating: ([\d,]+) of ([\d,]+) forward passes")


@dataclass(frozen=True)
class Evaluations:
    """Evaluations of one run with so many workers on so many cores, one after the other."""

    run: RunFolder
    workers: int
    cores: list[int]
    seconds: list[float] = field(default_factory=list)

    def measure(self) -> float:
        """Evaluate once; forward passes per second after the first tenth."""
        shutil.rmtree(self.run.evaluation_rows, ignore_errors=True)
        started = time.perf_counter()
        marks = self._marks()
        self.seconds.append(time.perf_counter() - started)
        (first, since), (last, until) = marks[0], marks[-1]
        return (last - first) / (until - since)

    def _marks(self) -> list[tuple[int, float]]:
        """Passes done, and when, as the command reports them."""
        command = [sys.executable, "-c", "from distxml.cli.main import run; run()", "evaluate", str(self.run.path)]
        everywhere = available_cores()
        pin(self.cores)  # the processes that we start stay there
        try:
            with subprocess.Popen(
                [*command, f"scaling.workers={self.workers}"],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                env=os.environ | {"RAY_ADDRESS": "local"},
            ) as process:
                assert process.stderr is not None
                lines = [(line, time.perf_counter()) for line in process.stderr]
        finally:
            pin(everywhere)
        if process.returncode != 0:
            raise SystemExit("".join(line for line, _ in lines))
        found = [(PROGRESS.match(line), when) for line, when in lines]
        return [(int(match[1].replace(",", "")), when) for match, when in found if match]


def compare_workers(subject: Subject, folder: Path, rounds: int) -> dict[str, object]:
    """Passes per second; the machine has two cores at least."""
    cores = available_cores()
    if len(cores) < 2:
        raise SystemExit("evaluation.py workers: needs two cores")
    run = _write_run(subject, folder)
    runs = {
        ONE: Evaluations(run, 1, cores[:1]),
        TWO: Evaluations(run, 2, cores[:2]),
        ONE_WITH_ROOM: Evaluations(run, 1, cores[:2]),
    }
    candidates: dict[str, Measure] = {name: one.measure for name, one in runs.items()}
    measured = take_turns(candidates, rounds, subject.name, warm_up=0)
    middle = medians(measured)
    return {
        "work": subject.name,
        "passes_a_second": {name: significant(value) for name, value in middle.items()},
        "range": ranges(measured),
        "two_workers_to_one": {
            "one with 1 core": round(middle[TWO] / middle[ONE], 3),
            "one with 2 cores": round(middle[TWO] / middle[ONE_WITH_ROOM], 3),
        },
        "seconds_of_the_command": {name: significant(value) for name, value in medians(_seconds(runs)).items()},
    }


def _seconds(runs: dict[str, Evaluations]) -> dict[str, list[float]]:
    return {name: one.seconds for name, one in runs.items()}


def _write_run(subject: Subject, folder: Path) -> RunFolder:
    """As training would leave it."""
    settings = SETTINGS.model_copy(update={"curve_images": len(subject.rows)})
    recipe = recipe_of(subject, folder, settings)
    run = RunFolder(recipe.run_folder)
    checkpoint = run.checkpoint(PhaseName.JOINT, "last")
    checkpoint.mkdir(parents=True)
    save_model(checkpoint, subject.model, subject.card)
    run.config.write_text(recipe.model_dump_json())
    run.finished.write_text("{}")
    return run
