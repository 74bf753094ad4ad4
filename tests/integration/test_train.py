"""Training with real Ray workers: what a run leaves behind; `faults/` disturbs it."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from distxml.config.run_folder import RunFolder
from distxml.models.checkpoint import load_model
from distxml.monitoring.metrics_log import read_metrics
from tests.integration.command import SMALL_TRAINING, distxml

pytestmark = pytest.mark.slow

EPOCHS = ("phases.0.epochs=2", "phases.1.epochs=6", "phases.2.epochs=2", "phases.1.until=null")


def events(run: RunFolder, kind: str) -> list[dict]:
    return [event for event in read_metrics(run.metrics) if event["event"] == kind]


@pytest.fixture(scope="module")
def undisturbed(place: Path) -> RunFolder:
    done = distxml("train", "polygons", *SMALL_TRAINING, *EPOCHS, "run.name=undisturbed", cwd=place)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert sum("phase 2 (explainer)  epoch 3/6" in line for line in lines) == 1, "one place, not one a worker"
    assert any("phase 3 ended after 2 epochs: epoch budget" in line for line in lines)
    return RunFolder(place / "runs/undisturbed")


def assert_three_complete_phases(run: RunFolder) -> None:
    assert run.finished.exists()
    for phase in (1, 2, 3):
        for name in ("last", "best_loss", "best_accuracy"):
            load_model(run.checkpoint(phase, name))
    assert [event["phase"] for event in events(run, "phase_end")] == [1, 2, 3]
    assert [event["global_epoch"] for event in events(run, "epoch")] == list(range(1, 11))


def test_a_run_leaves_what_it_should(undisturbed: RunFolder) -> None:
    assert_three_complete_phases(undisturbed)
    assert json.loads(undisturbed.environment.read_text())["torch"] == torch.__version__
    first = events(undisturbed, "epoch")[0]
    assert first["train"].keys() == {
        "total",
        "classification",
        "explanation",
        "sparsity",
        "contiguity",
        "weak",
        "accuracy",
        "black",
        "white",
        "difference",
    }
    assert first["val"]["sparsity"] == first["val"]["white"] == 1.0, "phase 1 sees a white heatmap"
    assert json.loads(undisturbed.config.read_text())["phases"][0]["white_heatmap"] is True, "and says so"
    board = EventAccumulator(str(undisturbed.tensorboard)).Reload()
    assert {"total/train", "weak/val", "learning_rate/explainer", "phase"} <= set(board.Tags()["scalars"])
    assert sorted(tag.partition("/")[0] for tag in board.Tags()["images"]) == ["confusion", "heatmaps", "heatmaps"]
    assert len(board.Scalars("total/val")) == 10


def test_frozen_networks_stay_as_they_are_between_phases(undisturbed: RunFolder) -> None:
    one, two = (load_file(undisturbed.checkpoint(phase, "last") / "model.safetensors") for phase in (1, 2))
    assert all(torch.equal(one[name], two[name]) for name in one if name.startswith("classifier"))
    assert any(not torch.equal(one[name], two[name]) for name in one if name.startswith("explainer"))


def test_the_same_command_again(place: Path, undisturbed: RunFolder) -> None:
    before = undisturbed.finished.read_text()
    again = distxml("train", "polygons", *SMALL_TRAINING, *EPOCHS, "run.name=undisturbed", cwd=place)
    assert (again.returncode, again.stdout.startswith("already complete")) == (0, True), again.stdout
    assert undisturbed.finished.read_text() == before


def test_other_settings_under_the_same_name_are_refused(place: Path, undisturbed: RunFolder) -> None:
    refused = distxml("train", "polygons", *SMALL_TRAINING, *EPOCHS, "run.name=undisturbed", "loss.beta=0.5", cwd=place)
    assert refused.returncode == 2
    assert "loss.beta=0.9, not 0.5" in refused.stderr and "run.name=NAME" in refused.stderr


def test_dali_feeds_the_workers_too(place: Path) -> None:
    once = [f"phases.{phase}.epochs=1" for phase in range(3)]
    dali = ("loader.backend=dali", "loader.augmentation={preset: paper, probability: 1.0}", "run.name=dali")
    done = distxml("train", "polygons", *SMALL_TRAINING, *once, *dali, cwd=place)
    assert done.returncode == 0, done.stdout + done.stderr
    run = RunFolder(place / "runs/dali")
    assert run.finished.exists() and len(events(run, "epoch")) == 3
