"""Three evaluated runs that several tests only read, and copies to change."""

import shutil
from pathlib import Path

import pytest

from distxml.config.run_folder import RunFolder
from distxml.evaluation.several_runs.evaluate import prepare_several, summarize_several
from distxml.evaluation.several_runs.record import SeveralRuns
from tests.made_once import made_once
from tests.unit.evaluation.several_runs.runs_on_disk import make_runs


def summarized(runs: list[RunFolder]) -> SeveralRuns:
    """What `distxml evaluate` writes once each run is evaluated."""
    return summarize_several(runs, prepare_several(runs, [run.recipe() for run in runs]))


def _make(folder: Path) -> None:
    summarized(make_runs(folder))


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> list[RunFolder]:
    folder = made_once(tmp_path_factory, "three runs", _make)
    return [RunFolder(folder / f"seed-{seed}") for seed in range(3)]


@pytest.fixture
def copies(runs: list[RunFolder], tmp_path: Path) -> list[RunFolder]:
    """Of one's own; the dataset stays where it is."""
    return [RunFolder(Path(shutil.copytree(run.path, tmp_path / run.path.name))) for run in runs]
