"""A sweep on disk: its settings, and what is known of every trial. JSON; written by the sweep's driver alone."""

import json
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from distxml.config.load import validate_json_file
from distxml.config.phases import PhaseName
from distxml.config.recipe import Recipe
from distxml.config.run_folder import RunFolder
from distxml.config.sweep import SweepSettings
from distxml.data.same_data import check_same_data
from distxml.data.schema import Dataset
from distxml.errors import UserError
from distxml.files import write_whole

SECONDS_BETWEEN_SAVES = 10.0
"""What a kill -9 of the driver takes from the count at most."""

Status = Literal["running", "finished", "stopped", "failed"]


class TrialRecord(BaseModel):
    """One trial.

    Attributes are its row in the tables."""

    model_config = ConfigDict(extra="forbid")

    number: int
    """From 0, in the order in which they were proposed."""
    step: int = 0
    """Which of the sweep's steps it belongs to, from 0."""
    settings: dict[str, Any]
    """What the search chose, by dotted names."""
    status: Status = "running"
    """`stopped`: before its end, by the scheduler or the sweep's end."""
    reason: str = ""
    """Why it was stopped, or failed."""
    metrics: dict[str, float] = Field(default_factory=dict)
    """Of the validation split, after its last epoch of the joint phase."""
    score: float | None = None
    """The objective as one number, more is better."""
    epochs: dict[PhaseName, int] = Field(default_factory=lambda: dict.fromkeys(PhaseName, 0))
    """Epochs of each phase, whoever trained them."""
    saved_epochs: int = 0
    """Epochs among these that were taken from other trials."""
    seconds: float = 0
    """Of the epochs that it trained itself."""
    saved_seconds: float = 0
    """Of the epochs that it took, when they were trained."""
    taken_from: dict[PhaseName, str] = Field(default_factory=dict)
    """Run that each phase was taken from, where it was."""

    @property
    def all_epochs(self) -> int:
        """Epochs of all phases together."""
        return sum(self.epochs.values())

    @property
    def is_over(self) -> bool:
        """Whether nothing is left to do."""
        return self.status != "running"


@dataclass(frozen=True)
class SweepFolder:
    """The folder of one sweep and the names in it."""

    path: Path

    @property
    def config(self) -> Path:
        """The resolved sweep, JSON."""
        return self.path / "sweep.json"

    @property
    def base(self) -> Path:
        """The recipe that trials differ from, JSON."""
        return self.path / "base.json"

    @property
    def dataset(self) -> Path:
        """Copy of the `dataset.json` that it was started with."""
        return self.path / "dataset.json"

    @property
    def state(self) -> Path:
        """Seconds that the sweep has taken so far, JSON."""
        return self.path / "state.json"

    @property
    def records(self) -> Path:
        """One JSON file per trial."""
        return self.path / "records"

    @property
    def trials(self) -> Path:
        """One run's folder per trial."""
        return self.path / "trials"

    @property
    def tensorboard(self) -> Path:
        """One row of the HParams table per trial: what was searched, and what it led to."""
        return self.path / "tensorboard"

    @property
    def table(self) -> Path:
        """All trials, their settings and metrics."""
        return self.path / "trials.csv"

    @property
    def parquet(self) -> Path:
        """The same."""
        return self.path / "trials.parquet"

    @property
    def report(self) -> Path:
        """The sweep as one HTML file."""
        return self.path / "report.html"

    @property
    def lock(self) -> Path:
        """Held by the driver."""
        return self.path / ".lock"

    @property
    def ray(self) -> Path:
        """Ray Tune's own storage; removed when the sweep has ended."""
        return self.path / ".ray"

    def best(self, place: int | None = None) -> Path:
        """Recipe of the best trial; of the `place`-th point of a Pareto front, from 1."""
        return self.path / ("best.yaml" if place is None else f"best_{place}.yaml")

    def run(self, number: int) -> RunFolder:
        """The run of a trial."""
        return RunFolder(self.trials / trial_name(number))

    def sweep(self) -> SweepSettings:
        """The sweep's settings.

        Raises:
            UserError: this is not a sweep's folder.
        """
        if not self.config.is_file():
            raise UserError(f"sweep {self.path}: no {self.config.name}; name a folder made by `distxml tune`")
        return validate_json_file(SweepSettings, self.config, "restore the file, or tune again under another name")

    def base_recipe(self) -> Recipe:
        """The recipe that trials differ from."""
        return validate_json_file(Recipe, self.base, "restore the file, or tune again under another name")

    def load(self) -> list[TrialRecord]:
        """All trials, by number.

        Raises:
            UserError: a record is damaged or missing.
        """
        remedy = "restore it, or remove it with all that have a higher number: these trials are then made again"
        records = [validate_json_file(TrialRecord, path, remedy) for path in sorted(self.records.glob("*.json"))]
        missing = next((number for number, record in enumerate(records) if record.number != number), None)
        if missing is not None:
            raise UserError(f"{self._record(missing)}: is missing; {remedy}")
        return records

    def load_one(self, number: int) -> TrialRecord:
        """A trial."""
        return validate_json_file(TrialRecord, self._record(number), "start the sweep again with --resume")

    def save(self, record: TrialRecord) -> None:
        """Write a trial down; on the disk when this returns."""
        self.records.mkdir(parents=True, exist_ok=True)
        write_whole(self._record(record.number), record.model_dump_json(indent=2) + "\n")

    def seconds_so_far(self) -> float:
        """Time that the sweep has taken before."""
        try:
            return float(json.loads(self.state.read_bytes())["seconds"])
        except (OSError, ValueError, KeyError, TypeError):
            return 0.0

    def save_seconds(self, seconds: float) -> None:
        """See `seconds_so_far`."""
        write_whole(self.state, json.dumps({"seconds": seconds}) + "\n")

    def _record(self, number: int) -> Path:
        return self.records / f"{trial_name(number)}.json"


def check_sweeps_data(folder: SweepFolder, dataset: Dataset) -> None:
    """Whether a dataset is the one that a sweep was started with; it may lie elsewhere now.

    Raises:
        InfrastructureError: its data are others.
    """
    check_same_data(folder.dataset, dataset, f"sweep {folder.path}", "start another sweep with name=NAME")


def trial_name(number: int) -> str:
    """Of a trial's files."""
    return f"{number:04d}"


def searched_names(records: list[TrialRecord]) -> list[str]:
    """Every setting that some trial has from the search, in their order."""
    return list(dict.fromkeys(_names(records)))


def _names(records: list[TrialRecord]) -> Iterator[str]:
    for record in records:
        yield from record.settings


class SweepClock:
    """Runs from its creation; what earlier drivers of the sweep took counts."""

    def __init__(self, folder: SweepFolder) -> None:
        self._folder, self._before, self._began = folder, folder.seconds_so_far(), time.monotonic()
        self._saved = self._began

    @property
    def seconds(self) -> float:
        """So far, in all."""
        return self._before + time.monotonic() - self._began

    def save_now_and_then(self) -> None:
        """Save, unless that was done a moment ago; a disk that is full just now costs no more than that."""
        if time.monotonic() - self._saved >= SECONDS_BETWEEN_SAVES:
            with suppress(OSError):
                self.save()
            self._saved = time.monotonic()

    def save(self) -> None:
        """Write it down."""
        self._folder.save_seconds(self.seconds)
