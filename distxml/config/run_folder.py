"""Where things lie in a run's folder."""

from collections.abc import Mapping
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
    """The folder of one run and the names in it.

    Of a run in an object store (`distxml.storage`) this is a folder of this node, and what is read must be fetched
    before and what was written published. Where the run is a folder of this machine these have nothing to do.
    """

    path: Path

    def __str__(self) -> str:
        """What the user calls the run."""
        return str(self.path)

    def named(self, path: Path) -> str:
        """What the user calls a file or folder in it."""
        return str(path)

    def begin(self, part: str = "", driver: str | None = None) -> str | None:
        """Become the one who publishes this part of the run; where others must be kept from it, a token for that."""
        del part, driver

    def fetch(self, path: Path, *names: str) -> None:
        """Bring a file here, or a folder: as it was published last, and only the files in it that are named, if any."""

    def publish(
        self, *paths: Path, kept: Mapping[Path, Path] | None = None, also: Mapping[Path, Path] | None = None
    ) -> None:
        """Let others have files and folders, all or none.

        Args:
            paths: what was written.
            kept: what gets that which others have held until now, if anything.
            also: what is the same as others that are published now.

        Raises:
            UserError: somebody else publishes this run now, or it cannot be written.
        """

    def upload(self, *paths: Path) -> None:
        """Let others look at files that nothing is read from again; those that are not here, they get rid of."""

    def check_still_ours(self, attempt: str) -> None:
        """A driver that was killed may leave workers behind; they must not write once a new driver has started.

        Raises:
            UserError: one has.
        """
        if self.attempt.read_text() != attempt:
            raise UserError(f"run {self}: another `distxml train` has taken over; this one stops")

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
            raise UserError(f"run {self}: no {self.config.name}; name a folder made by `distxml train`")
        return validate_json_file(Recipe, self.config, "restore the file, or train again under another run.name")
