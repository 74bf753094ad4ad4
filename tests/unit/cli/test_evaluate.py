"""`distxml evaluate` without Ray: what it says."""

import io
from pathlib import Path

import pytest
from distxml.cli.image_progress import ImageProgress
from rich.console import Console
from typer.testing import CliRunner

from distxml.cli.main import app
from distxml.config.evaluation import EvaluationSettings
from distxml.config.run_folder import RunFolder
from distxml.errors import UserError
from tests.integration.small_run import write_run


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    settings = EvaluationSettings(patch_sizes=(8, 64), fills=("black", "blur"), curve_images=4, steps=5)
    return write_run(tmp_path, settings, images=12)


def test_a_dry_run_says_what_would_be_done_and_writes_nothing(run: RunFolder):
    before = sorted(run.path.rglob("*"))
    said = CliRunner().invoke(app, ["evaluate", str(run.path), "--dry-run"])
    assert said.exit_code == 0, said.output
    assert "model: checkpoints/phase3/last (vgg, 32x32)" in said.output
    assert "split test: 12 images" in said.output
    assert "patches: 8 (5 steps)" in said.output
    assert "left out, larger than the image: 64" in said.output
    assert "passes: 136 forward (12 images once, 4 of them perturbed with 31 each)" in said.output
    assert sorted(run.path.rglob("*")) == before


def test_a_dry_run_checks_that_the_workers_fit(run: RunFolder):
    said = CliRunner().invoke(app, ["evaluate", str(run.path), "--dry-run", "scaling.workers=5000"])
    assert isinstance(said.exception, UserError)
    assert "scaling.workers=5000" in str(said.exception)


def test_print_config_shows_the_override(run: RunFolder):
    said = CliRunner().invoke(app, ["evaluate", str(run.path), "evaluation.steps=7", "--print-config"])
    assert said.exit_code == 0
    assert "steps: 7" in said.output


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path):
    said = CliRunner().invoke(app, ["evaluate", str(tmp_path)])
    assert isinstance(said.exception, UserError)
    assert "name a folder made by `distxml train`" in str(said.exception)


def test_the_help_ends_with_an_example():
    assert "Example: distxml evaluate" in CliRunner().invoke(app, ["evaluate", "--help"]).output


def test_progress_off_a_terminal_is_ten_lines():
    text = io.StringIO()
    with ImageProgress("evaluating", Console(file=text)) as progress:
        for done in range(1, 201):
            progress.show(done, 200)
    lines = text.getvalue().splitlines()
    assert len(lines) == 10
    assert lines[-1] == "evaluating: 200 of 200 images"
