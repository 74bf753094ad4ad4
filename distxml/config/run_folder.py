"""Where things lie in a run's folder."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from distxml.config.load import validate_json_file
from distxml.config.phases import PhaseName
from distxml.config.recipe import Recipe
from distxml.errors import UserError

CheckpointName = Literal["last", "previous", "healthy", "best_loss", "best_accuracy"]


@dataclass(frozen=True)
class RunFolder:
    """The folder of one run and the names in it."""

    path: Path

    @property
    def config(self) -> Path:
        """The resolved recipe, JSON; written before training starts."""
        return self.path / "config.json"

    @property
    def dataset(self) -> Path:
        """Copy of the metadata of the dataset that it trains on, with the checksums of its shards."""
        return self.path / "dataset.json"

    @property
    def environment(self) -> Path:
        """Versions, machine and command, JSON; with those of earlier starts where the run was interrupted."""
        return self.path / "environment.json"

    @property
    def metrics(self) -> Path:
        """One JSON object per line: epochs and phase ends."""
        return self.path / "metrics.jsonl"

    @property
    def tensorboard(self) -> Path:
        """Event files."""
        return self.path / "tensorboard"

    @property
    def evaluation(self) -> Path:
        """Results of `distxml evaluate`."""
        return self.path / "evaluation"

    @property
    def evaluation_rows(self) -> Path:
        """Finished rows of evaluations, a folder for all that have the same settings; may be removed."""
        return self.path / "evaluation-rows"

    @property
    def evaluation_lock(self) -> Path:
        """Held by the process that evaluates this run."""
        return self.path / ".evaluation.lock"

    @property
    def several_runs(self) -> Path:
        """What `distxml evaluate` found over several runs of one recipe, JSON; in the folder of the first."""
        return self.path / "several_runs.json"

    @property
    def several_runs_table(self) -> Path:
        """The same as one long table, CSV."""
        return self.path / "several_runs.csv"

    @property
    def report(self) -> Path:
        """The one-file HTML report."""
        return self.path / "report.html"

    @property
    def figures(self) -> Path:
        """The report's figures as files."""
        return self.path / "figures"

    @property
    def finished(self) -> Path:
        """Written when the joint phase is complete."""
        return self.path / "finished.json"

    @property
    def attempt(self) -> Path:
        """Token of the `distxml train` that trains this run now."""
        return self.path / ".attempt"

    @property
    def lock(self) -> Path:
        """Held by the process that trains this run."""
        return self.path / ".lock"

    @property
    def ray(self) -> Path:
        """Ray Train's own storage; removed when training has finished."""
        return self.path / ".ray"

    @property
    def failure(self) -> Path:
        """The traceback of what stopped training, where it was not the user's mistake."""
        return self.path / "failure.log"

    def checkpoint(self, phase: PhaseName, name: CheckpointName) -> Path:
        """Folder of a checkpoint, such as `checkpoints/joint/last`."""
        return self.path / "checkpoints" / phase / name

    def recipe(self) -> Recipe:
        """The recipe that the run was started with.

        Raises:
            UserError: this is not a run's folder.
        """
        if not self.config.is_file():
            raise UserError(f"run {self.path}: no {self.config.name}; name a folder made by `distxml train`")
        return validate_json_file(Recipe, self.config, "restore the file, or train again under another run.name")
