"""Training with real Ray workers: killed, taken up again, the same twice, and right on disk."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from distxml.config.run_folder import RunFolder
from distxml.models.checkpoint import load_model
from distxml.monitoring.metrics_log import read_metrics
from tests.integration.command import SMALL_TRAINING, distxml, start_distxml

pytestmark = pytest.mark.slow

EPOCHS = ("phases.0.epochs=2", "phases.1.epochs=6", "phases.2.epochs=2", "phases.1.until=null")
IN_STEPS = ("loader.batch_size=4", "run.checkpoint_steps=1")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder, with a space and a quote in its name, that holds a small dataset."""
    folder = tmp_path_factory.mktemp("it's a place")
    settings = ("source.images=120", "source.image_size=16")
    built = distxml("data", "build", "polygons", "data/polygons", *settings, cwd=folder)
    assert built.returncode == 0, built.stderr
    return folder


def events(run: RunFolder, kind: str) -> list[dict]:
    return [event for event in read_metrics(run.metrics) if event["event"] == kind]


def training_workers() -> list[int]:
    """Process ids of Ray Train's workers on this machine."""
    listing = subprocess.run(["ps", "-eo", "pid,args"], capture_output=True, text=True, check=True).stdout
    return [int(line.split()[0]) for line in listing.splitlines() if "ray::" in line and "RayTrainWorker" in line]


def wait_for(condition, process: subprocess.Popen[str], seconds: float) -> None:
    start = time.monotonic()
    while not condition():
        assert process.poll() is None, "the run ended too early"
        assert time.monotonic() - start < seconds, "waited too long"
        time.sleep(0.05)


def phase_2_is_on(run: RunFolder) -> bool:
    return run.metrics.exists() and any(event["phase"] == 2 for event in events(run, "epoch"))


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


def last_weights(run: RunFolder) -> dict[str, torch.Tensor]:
    return load_file(run.checkpoint(3, "last") / "model.safetensors")


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


def test_kill_9_of_a_worker_in_phase_2(place: Path, undisturbed: RunFolder) -> None:
    run = RunFolder(place / "runs/killed")
    process = start_distxml("train", "polygons", *SMALL_TRAINING, *EPOCHS, "run.name=killed", cwd=place)
    wait_for(lambda: phase_2_is_on(run), process, 120)
    os.kill(training_workers()[-1], signal.SIGKILL)
    assert process.wait(timeout=300) == 0, (place / "output.log").read_text()
    assert_three_complete_phases(run)
    assert [event["phase"] for event in events(run, "resumed")] == [2]
    ours, theirs = last_weights(run), last_weights(undisturbed)
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs), "resumed and undisturbed end the same"


def test_kill_9_of_the_driver_then_the_same_command(place: Path, undisturbed: RunFolder) -> None:
    run = RunFolder(place / "runs/driver")
    command = ("train", "polygons", *SMALL_TRAINING, *EPOCHS, "run.name=driver")
    process = start_distxml(*command, cwd=place)
    wait_for(lambda: phase_2_is_on(run), process, 120)
    process.kill()
    process.wait()
    again = distxml(*command, cwd=place)
    assert again.returncode == 0, again.stdout + again.stderr
    assert "resumed in phase 2" in again.stdout
    assert_three_complete_phases(run)
    ours, theirs = last_weights(run), last_weights(undisturbed)
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    once_more = distxml(*command, cwd=place)
    assert (once_more.returncode, "already complete" in once_more.stdout) == (0, True)


def test_other_settings_under_the_same_name_are_refused(place: Path, undisturbed: RunFolder) -> None:
    refused = distxml("train", "polygons", *SMALL_TRAINING, *EPOCHS, "run.name=undisturbed", "loss.beta=0.5", cwd=place)
    assert refused.returncode == 2
    assert "loss.beta=0.9, not 0.5" in refused.stderr and "run.name=NAME" in refused.stderr


def test_one_worker_resumes_what_two_began(place: Path) -> None:
    command = ("train", "polygons", *SMALL_TRAINING, *EPOCHS, "run.name=fewer")
    process = start_distxml(*command, cwd=place)
    run = RunFolder(place / "runs/fewer")
    wait_for(lambda: phase_2_is_on(run), process, 120)
    process.kill()
    process.wait()
    again = distxml(*command, "scaling.workers=1", cwd=place)
    assert again.returncode == 0, again.stdout + again.stderr
    assert_three_complete_phases(run)


def steps_of_phase_2(run: RunFolder) -> int:
    """Steps of an unfinished epoch of phase 2 that the newest checkpoint holds; 0 where there is none."""
    try:
        return json.loads((run.checkpoint(2, "last") / "training_state.json").read_text())["state"]["step_in_epoch"]
    except FileNotFoundError:
        return 0


def test_kill_9_in_the_middle_of_an_epoch(place: Path) -> None:
    """21 steps an epoch; what is left of the epoch is what an uninterrupted run sees, so the weights end the same."""
    command = ("train", "polygons", *SMALL_TRAINING, *EPOCHS, *IN_STEPS)
    whole = distxml(*command, "run.name=whole", cwd=place)
    assert whole.returncode == 0, whole.stdout + whole.stderr
    run = RunFolder(place / "runs/midway")
    process = start_distxml(*command, "run.name=midway", cwd=place)
    wait_for(lambda: 2 <= steps_of_phase_2(run) <= 12, process, 120)
    os.kill(training_workers()[-1], signal.SIGKILL)
    assert process.wait(timeout=300) == 0, (place / "output.log").read_text()
    assert_three_complete_phases(run)
    (resumed,) = events(run, "resumed")
    assert resumed["phase"] == 2 and resumed["step"] >= 2
    ours, theirs = last_weights(run), last_weights(RunFolder(place / "runs/whole"))
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    for kind in ("train", "val"):
        figures = [[event[kind] for event in events(each, "epoch")] for each in (run, RunFolder(place / "runs/whole"))]
        assert figures[0] == figures[1], "the interrupted epoch's means count its first steps too"


def test_dali_feeds_the_workers_too(place: Path) -> None:
    once = [f"phases.{phase}.epochs=1" for phase in range(3)]
    dali = ("loader.backend=dali", "loader.augmentation={preset: paper, probability: 1.0}", "run.name=dali")
    done = distxml("train", "polygons", *SMALL_TRAINING, *once, *dali, cwd=place)
    assert done.returncode == 0, done.stdout + done.stderr
    run = RunFolder(place / "runs/dali")
    assert run.finished.exists() and len(events(run, "epoch")) == 3
