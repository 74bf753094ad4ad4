"""An evaluation as a process that a test disturbs: what it has finished, what it says, and whether it ends the same."""

import re
import time
from dataclasses import dataclass
from pathlib import Path

from distxml.config.evaluation import EvaluationSettings
from distxml.config.evaluation_request import override_recipe
from distxml.config.run_folder import RunFolder
from distxml.evaluation.evaluate import RemainingWork, remaining_work
from distxml.evaluation.prepare import prepare
from distxml.evaluation.results import load_results
from tests.integration.same_results import assert_same_results
from tests.integration.watched_process import WatchedProcess

IMAGES = 24
SETTINGS = EvaluationSettings(
    methods=("in_model", "saliency", "random"),
    orders=("morf", "lerf"),
    patch_sizes=(4,),
    fills=("black", "white", "gray", "uniform", "blur"),
    steps="all",
    bootstrap=100,
)
"""1,581 forward passes per image."""
WORKER = "ray::ScoringWorker"
PER_TASK = f"{WORKER}.score"
ROWS = IMAGES * 3
"""Heatmaps and their curves."""
FOUND = re.compile(rf"note: (\d+) of {ROWS} heatmaps and their curves were finished before and are reused")


@dataclass
class WatchedEvaluation(WatchedProcess):
    """`distxml evaluate run`; the run lies in `place`, or on a disk of its own."""

    disk: Path | None = None

    @property
    def run(self) -> RunFolder:
        return RunFolder((self.disk or self.place) / "run")

    def start(self, *more: str) -> None:
        """The command, with more settings than its own if need be."""
        self.launch("evaluate", str(self.run.path), *self.settings, *more)

    def left(self) -> RemainingWork:
        """What a new start would have to do now."""
        recipe = override_recipe(self.run.recipe(), list(self.settings), "the command")
        return remaining_work(self.run, prepare(self.run, recipe))

    def parts(self) -> int:
        """Files with finished curves."""
        return len(list(self.run.evaluation_rows.glob("*/methods-*.parquet")))

    def wait_for_parts(self, wanted: int) -> None:
        """So many files with finished curves."""
        self.wait_until(lambda: self.parts() >= wanted)

    def wait_for_recovery(self, fault: str, since: float, parts_before: int) -> None:
        """Until new rows are written; prints the seconds from the fault to them."""
        self.wait_for_parts(parts_before + 1)
        print(f"recovery: {fault}: {time.monotonic() - since:.0f} s")

    def assert_found(self, before: RemainingWork) -> None:
        """What was finished then was not lost, by what the last start has printed."""
        assert int(FOUND.findall(self.output)[-1]) == len(before.finished.pairs) < ROWS

    def assert_took(self, before: RemainingWork) -> None:
        """What was left is all that was computed, by what the last start has printed."""
        self.assert_found(before)
        done, total = re.findall(r"evaluating: ([\d,]+) of ([\d,]+) forward passes", self.output)[-1]
        assert done == total == f"{before.passes:,}"

    def assert_equal_to(self, undisturbed: "WatchedEvaluation") -> None:
        """The results are those of an evaluation that nobody disturbed, to the last row."""
        assert_same_results(load_results(self.run.evaluation), load_results(undisturbed.run.evaluation))
        assert self.left().tasks == []
