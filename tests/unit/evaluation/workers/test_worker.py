"""A worker opens what the driver has opened, or nothing."""

import shutil
from pathlib import Path

import pytest

from distxml.config.evaluation import EvaluationSettings
from distxml.config.run_folder import RunFolder
from distxml.errors import UserError
from distxml.evaluation.evaluate import worker_inputs
from distxml.evaluation.prepare import Evaluation, prepare
from distxml.evaluation.workers.journal import RowJournal
from distxml.evaluation.workers.tasks import Task
from distxml.evaluation.workers.worker import ScoringWorker
from tests.integration.small_run import write_run
from tests.small_dataset import write_dataset
from tests.unit.evaluation.small_model import CLASSES, small_rows
from tests.unit.evaluation.some_records import new_journal

IMAGES = 6
SETTINGS = EvaluationSettings(methods=("random",), patch_sizes=(8,), fills=("black",), steps=2, curve_images=2)


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return write_run(tmp_path, SETTINGS, IMAGES)


@pytest.fixture
def journal(tmp_path: Path) -> RowJournal:
    return new_journal(tmp_path)


def scored(evaluation: Evaluation, journal: RowJournal) -> None:
    worker = ScoringWorker(worker_inputs(evaluation, journal))
    worker.load()
    worker.score(Task((0, 1), (), passes=2))


def test_the_drivers_dataset_is_scored(run: RunFolder, journal: RowJournal) -> None:
    scored(prepare(run, run.recipe()), journal)
    assert journal.read().image_keys == {"image-0", "image-1"}


def test_another_dataset_with_the_same_keys_and_labels_is_refused(
    run: RunFolder, journal: RowJournal, tmp_path: Path
) -> None:
    """Its rows would be taken for finished ones of the dataset that the journal's fingerprint names."""
    evaluation = prepare(run, run.recipe())
    shutil.rmtree(tmp_path / "dataset")
    write_dataset(tmp_path / "dataset", {"test": small_rows(IMAGES, seed=1)}, CLASSES, rows_per_shard=9)
    with pytest.raises(UserError) as raised:
        scored(evaluation, journal)
    line = str(raised.value)
    assert line.startswith(f"dataset {tmp_path / 'dataset'}: on ") and "\n" not in line
    assert "it is not the one that the command has opened" in line and evaluation.dataset.sha256[:16] in line
    assert journal.read().image_keys == set()


def test_a_dataset_that_is_swapped_after_a_worker_opened_it_is_refused(
    run: RunFolder, journal: RowJournal, tmp_path: Path
) -> None:
    worker = ScoringWorker(worker_inputs(prepare(run, run.recipe()), journal))
    worker.load()
    shutil.rmtree(tmp_path / "dataset")
    write_dataset(tmp_path / "dataset", {"test": small_rows(IMAGES, seed=1)}, CLASSES, rows_per_shard=9)
    with pytest.raises(UserError, match="this shard was changed after it was built"):
        worker.score(Task((0, 1), (), passes=2))
    assert journal.read().image_keys == set()
