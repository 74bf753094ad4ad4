"""`distxml evaluate` without Ray: what it says."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from distxml.cli.main import app
from distxml.config.evaluation import EvaluationSettings
from distxml.config.run_folder import RunFolder
from distxml.errors import UserError
from tests.integration.small_run import write_run


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    settings = EvaluationSettings(
        methods=("in_model", "saliency", "random"),
        patch_sizes=(8, 64),
        fills=("black", "blur"),
        curve_images=4,
        steps=5,
    )
    return write_run(tmp_path, settings, images=12)


@pytest.mark.slow  # Ray says whether the workers fit
def test_a_dry_run_says_what_would_be_done_and_writes_nothing(run: RunFolder):
    before = sorted(run.path.rglob("*"))
    said = CliRunner().invoke(app, ["evaluate", str(run.path), "--dry-run"])
    assert said.exit_code == 0, said.output
    assert "model: checkpoints/joint/last (vgg, 32x32)" in said.output
    assert "split test: 12 images, 4 of them perturbed" in said.output
    assert "f: probability of the class predicted, recompute" in said.output
    assert "patches: 8 (5 steps)" in said.output
    assert "range: 0 to 100% of the image replaced" in said.output
    assert (
        "primary comparison: in_model minus random, over all patch sizes and fills; and again under fixed"
        in said.output
    )
    assert "larger than the image or leave it fewer than 16 patches: 64\n" in said.output
    # A clean pass per image; f(x(0)) and 5 steps per fill for each of the methods, each in a task of its own; the two
    # of the primary comparison under the other gate, too.
    assert f"left to do: {12 + 4 * 5 * 11} forward passes in {12 + 4 * 5} tasks" in said.output
    assert re.search(r"time: about \d+ s; scaling.workers=1 fit", said.output)
    assert sorted(run.path.rglob("*")) == before


@pytest.mark.slow
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
