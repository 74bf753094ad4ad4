"""Runs that several tests only read."""

import shutil
from pathlib import Path

import pytest

from distxml.config.evaluation import EvaluationSettings
from distxml.config.run_folder import RunFolder
from distxml.evaluation.results import Results, load_results
from distxml.report.document import write_report
from tests.made_once import made_once
from tests.unit.evaluation.small_model import small_recipe
from tests.unit.report.page import Page, parse
from tests.unit.report.run_on_disk import EVALUATION, EVERYTHING, make_run


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """Three methods, one order; reported."""
    return _reported(tmp_path_factory, "three methods", EVALUATION)


@pytest.fixture(scope="session")
def page(run: RunFolder) -> Page:
    return parse(run.report.read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def everything(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """All methods, both orders; reported."""
    return _reported(tmp_path_factory, "all methods", EVERYTHING)


@pytest.fixture(scope="session")
def full_results(everything: RunFolder) -> Results:
    return load_results(everything.evaluation)


@pytest.fixture(scope="session")
def full_page(everything: RunFolder) -> Page:
    return parse(everything.report.read_text(encoding="utf-8"))


def _reported(tmp_path_factory: pytest.TempPathFactory, name: str, settings: EvaluationSettings) -> RunFolder:
    folder = made_once(tmp_path_factory, name, lambda folder: write_report(make_run(folder, settings=settings)))
    return RunFolder(small_recipe(folder, settings).run_folder)


@pytest.fixture
def copy(run: RunFolder, tmp_path: Path) -> RunFolder:
    """A reported run of one's own to damage; the dataset stays where it is."""
    return RunFolder(Path(shutil.copytree(run.path, tmp_path / "run")))
