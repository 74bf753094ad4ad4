"""Training with real Ray workers: what a run leaves behind; `faults/` disturbs it."""

import json

import pytest
import torch
from safetensors.torch import load_file
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from distxml.config.phases import PhaseName
from tests.integration.command import distxml_in_process
from tests.integration.watched_run import EPOCHS_IN_ALL, SETTINGS, WatchedRun

pytestmark = pytest.mark.slow


def test_a_run_leaves_what_it_should(undisturbed: WatchedRun) -> None:
    undisturbed.assert_complete()
    lines, run = undisturbed.output.splitlines(), undisturbed.folder
    assert sum("phase 2, explainer  epoch 3/12" in line for line in lines) == 1, "one place, not one per worker"
    assert any("the joint phase ended after 2 epochs: epoch budget" in line for line in lines)
    assert json.loads(run.environment.read_text())["torch"] == torch.__version__
    first = undisturbed.events("epoch")[0]
    assert first["train"].keys() == {
        "total",
        "classification",
        "explanation",
        "sparsity",
        "contiguity",
        "weak",
        "annotated",
        "accuracy",
        "black",
        "white",
        "difference",
    }
    assert first["val"]["sparsity"] == first["val"]["white"] == 1.0, "the classifier phase sees a white heatmap"
    assert json.loads(run.config.read_text())["phases"]["classifier"]["white_heatmap"] is True, "and says so"
    board = EventAccumulator(str(run.tensorboard)).Reload()
    assert {"total/train", "weak/val", "learning_rate/explainer", "phase"} <= set(board.Tags()["scalars"])
    assert sorted(tag.partition("/")[0] for tag in board.Tags()["images"]) == ["confusion", "heatmaps", "heatmaps"]
    assert len(board.Scalars("total/val")) == EPOCHS_IN_ALL


def test_frozen_networks_stay_as_they_are_between_phases(undisturbed: WatchedRun) -> None:
    one, two = (
        load_file(undisturbed.folder.checkpoint(phase, "last") / "model.safetensors")
        for phase in PhaseName.EXPLAINER.through
    )
    assert all(torch.equal(one[name], two[name]) for name in one if name.startswith("classifier"))
    assert any(not torch.equal(one[name], two[name]) for name in one if name.startswith("explainer"))


def test_the_same_command_again(undisturbed: WatchedRun) -> None:
    before = undisturbed.folder.finished.read_text()
    name = f"run.name={undisturbed.name}"
    again = distxml_in_process("train", "polygons", *SETTINGS, name, cwd=undisturbed.place)
    assert (again.returncode, again.stdout.startswith("already complete")) == (0, True), again.stdout + again.stderr
    assert undisturbed.folder.finished.read_text() == before
    refused = distxml_in_process("train", "polygons", *SETTINGS, name, "loss.beta=0.5", cwd=undisturbed.place)
    assert refused.returncode == 2
    assert "loss.beta=0.9, not 0.5" in refused.stderr and "run.name=NAME" in refused.stderr
