"""A worker trains on what the driver has opened, or not at all."""

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from distxml.config.run_folder import RunFolder
from distxml.data.schema import open_dataset, reopen_dataset
from distxml.errors import InfrastructureError
from distxml.monitoring.events import FailedEvent
from distxml.training.run_claim import claim
from distxml.training.worker import train_worker
from distxml.training.worker_task import WorkerTask
from tests.small_dataset import noise_row, write_dataset
from tests.unit.training.small_training import small_recipe


@dataclass
class KeptFailures:
    """Takes the place of the event queue to the driver."""

    failures: list[FailedEvent] = field(default_factory=list)

    def has_failed(self) -> bool:
        return bool(self.failures)

    def fail(self, event: FailedEvent) -> None:
        self.failures.append(event)


def replace_dataset(folder: Path) -> None:
    """By another one with the same keys, labels and counts."""
    shutil.rmtree(folder)
    rows = [noise_row(number, side=17) for number in range(40)]
    write_dataset(folder, {"train": rows[:24], "val": rows[24:32], "test": rows[32:]})


def test_a_dataset_that_was_swapped_since_the_driver_opened_it_is_refused(tmp_path: Path) -> None:
    recipe = small_recipe(tmp_path)
    run = RunFolder(recipe.run_folder)
    run.path.mkdir(parents=True)
    claimed = claim(run, recipe, open_dataset(recipe.dataset.path))
    replace_dataset(tmp_path / "dataset")
    queue: Any = KeptFailures()
    task = WorkerTask(
        recipe=claimed.recipe.model_dump_json(),
        run=str(run.path),
        dataset_sha256=claimed.dataset_sha256,
        event_queue=queue,
        attempt=claimed.attempt,
        scores="distxml.training.callbacks.quick_scores:no_scores",
    )
    with pytest.raises(InfrastructureError, match=r"dataset .*dataset: on .* it is not the one that the command has"):
        train_worker(task)
    (failure,) = queue.failures
    assert failure.cause == "infrastructure" and claimed.dataset_sha256[:16] in failure.message
    assert "\n" not in failure.message
    assert not list(run.path.glob("checkpoints/*"))


def test_the_same_dataset_at_another_place_is_the_same(tmp_path: Path) -> None:
    before = open_dataset(small_recipe(tmp_path).dataset.path)
    (tmp_path / "dataset").rename(tmp_path / "moved")
    assert reopen_dataset(tmp_path / "moved", before.sha256).metadata == before.metadata
