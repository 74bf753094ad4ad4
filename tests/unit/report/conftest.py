"""Runs that several tests only read."""

import shutil
from pathlib import Path

import pytest

from distxml.config.run_folder import RunFolder
from distxml.evaluation.results import Results, load_results
from distxml.report.document import write_report
from tests.unit.report.page import Page, parse
from tests.unit.report.run_on_disk import EVERYTHING, make_run


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """Three methods, one order."""
    return make_run(tmp_path_factory.mktemp("three"))


@pytest.fixture(scope="session")
def page(run: RunFolder) -> Page:
    return parse(write_report(run).path.read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def everything(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """All methods, both orders; reported."""
    run = make_run(tmp_path_factory.mktemp("everything"), settings=EVERYTHING)
    write_report(run)
    return run


@pytest.fixture(scope="session")
def full_results(everything: RunFolder) -> Results:
    return load_results(everything.evaluation)


@pytest.fixture(scope="session")
def full_page(everything: RunFolder) -> Page:
    return parse(everything.report.read_text(encoding="utf-8"))


@pytest.fixture
def copy(run: RunFolder, page: Page, tmp_path: Path) -> RunFolder:
    """A reported run of one's own to damage; the dataset stays where it is."""
    return RunFolder(Path(shutil.copytree(run.path, tmp_path / "run")))
