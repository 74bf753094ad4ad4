"""Weights that are not what training wrote are scored by nobody, and what was scored before stays as it is."""

from pathlib import Path

import pytest

from distxml.config.evaluation import EvaluationSettings
from distxml.config.load import override_settings
from distxml.config.phases import PhaseName
from distxml.config.run_folder import RunFolder
from distxml.errors import UserError
from distxml.evaluation.evaluate import evaluate_run, worker_inputs
from distxml.evaluation.prepare import prepare
from distxml.evaluation.workers.worker import ScoringWorker
from tests.flip_a_byte import flip_a_byte
from tests.unit.evaluation.some_records import new_journal
from tests.unit.report.run_on_disk import make_run

SETTINGS = EvaluationSettings(methods=("random",), patch_sizes=(8,), fills=("black",), steps=2, bootstrap=100)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """One that was evaluated."""
    return make_run(tmp_path_factory.mktemp("run"), settings=SETTINGS)


def content(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", ["model.safetensors", "model.json"])
@pytest.mark.parametrize("phase", [PhaseName.JOINT, PhaseName.CLASSIFIER])
def test_one_byte_that_changed_is_refused_and_no_earlier_result_is_touched(
    run: RunFolder, phase: PhaseName, name: str
) -> None:
    file = run.checkpoint(phase, "last") / name
    recipe = override_settings(run.recipe(), ["evaluation.f=classifier_phase"], "a test")
    whole = file.read_bytes()
    flip_a_byte(file)
    try:
        before = content(run.path)
        with pytest.raises(UserError, match=rf"^checkpoint {file.parent}: {name} is not what was written.*; copy"):
            evaluate_run(run, recipe)
        assert content(run.path) == before and run.evaluation / "summary.json" in before
    finally:
        file.write_bytes(whole)


def test_what_is_damaged_while_workers_start_is_refused_by_each(run: RunFolder, tmp_path: Path) -> None:
    evaluation = prepare(run, run.recipe())
    weights = run.checkpoint(PhaseName.JOINT, "last") / "model.safetensors"
    whole = weights.read_bytes()
    flip_a_byte(weights)
    try:
        with pytest.raises(UserError, match=r"model\.safetensors is not what was written"):
            ScoringWorker(worker_inputs(evaluation, new_journal(tmp_path))).load()
    finally:
        weights.write_bytes(whole)
