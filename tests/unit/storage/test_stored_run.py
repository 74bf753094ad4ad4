"""A run in a store, seen from a node: fetched, published, damaged, taken over; trained as one on a disk is."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from distxml.config import Recipe
from distxml.config.phases import PhaseName
from distxml.config.run_folder import RunFolder
from distxml.data.schema import open_dataset
from distxml.errors import UserError
from distxml.monitoring.metrics_log import read_metrics
from distxml.storage.files import open_store
from distxml.storage.publishing import Superseded
from distxml.storage.runs import run_to_read, run_to_train
from distxml.storage.stored_run import StoredRun
from distxml.training.checkpoints import CheckpointRef, Checkpoints
from distxml.training.preflight import model_card
from tests.flip_a_byte import flip_a_byte
from tests.unit.training.small_training import SHORT, small_recipe, small_trainer

LAST = CheckpointRef(PhaseName.JOINT, "last")


@pytest.fixture(autouse=True)
def staging(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DISTXML_STAGING", str(tmp_path / "staging"))
    return tmp_path / "staging"


def recipe_in_store(folder: Path, *overrides: str) -> Recipe:
    """One whose run lies in a store on this disk."""
    return small_recipe(folder, f"run.folder=file://{folder}/bucket", *SHORT, *overrides)


def train(recipe: Recipe) -> None:
    with run_to_train(recipe.run_place) as run:
        small_trainer(recipe, run=run).fit()


def staged(folder: Path, name: str, uri: str) -> StoredRun:
    """A node of its own."""
    (folder / name).mkdir(exist_ok=True)
    return StoredRun(folder / name, open_store(uri))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DISTXML_STAGING", str(folder / "staging"))
        train(recipe_in_store(folder))
    return folder


def test_a_store_ends_with_what_a_disk_ends_with(trained: Path, tmp_path: Path) -> None:
    small_trainer(small_recipe(tmp_path, *SHORT)).fit()
    ours = RunFolder(small_recipe(tmp_path, *SHORT).run_folder)
    with run_to_read(recipe_in_store(trained).run_place) as theirs:
        found = sorted(path.relative_to(ours.path) for path in ours.path.glob("checkpoints/*/*"))
        assert len(found) >= 9
        for place in found:
            theirs.fetch(theirs.path / place)
            one, other = (load_file(run.path / place / "model.safetensors") for run in (ours, theirs))
            assert all(torch.equal(one[name], other[name]) for name in one), place
        logs = [[event["event"] for event in read_metrics(run.metrics)] for run in (ours, theirs)]
        assert logs[0] == logs[1]
    assert not theirs.path.exists(), "nothing is left on this node"


def test_what_resumes_on_another_node_finds_the_newest_checkpoint(trained: Path, tmp_path: Path) -> None:
    recipe = recipe_in_store(trained)
    with run_to_read(recipe.run_place) as run:
        checkpoints = Checkpoints(run, model_card(recipe, open_dataset(recipe.dataset.path)), "")
        found = checkpoints.find_newest()
        assert found.checkpoint == LAST and found.skipped == []
        assert checkpoints.state(LAST).ended is not None


def test_a_damaged_checkpoint_is_named_by_its_place_in_the_store_and_passed_over(tmp_path: Path) -> None:
    recipe = recipe_in_store(tmp_path)
    train(recipe)
    for damaged in (tmp_path / "bucket").rglob("checkpoints/joint/last/model.safetensors"):
        flip_a_byte(damaged)
    for gone in (tmp_path / "bucket").rglob("checkpoints/explainer/last/optimizer.pt"):
        gone.unlink()
    with run_to_read(recipe.run_place) as run:
        checkpoints = Checkpoints(run, model_card(recipe, open_dataset(recipe.dataset.path)), "")
        found = checkpoints.find_newest()
    place = f"{recipe.run_place}/checkpoints"
    assert found.checkpoint == CheckpointRef(PhaseName.CLASSIFIER, "last")
    assert found.skipped[0] == (
        f"skipped checkpoint {place}/joint/last: model.safetensors is not what was written: "
        "its SHA-256 is not the one in SHA256SUMS"
    )
    assert any(line.startswith(f"skipped checkpoint {place}/explainer/last: optimizer.pt") for line in found.skipped)


def test_a_damaged_file_is_refused_by_name(tmp_path: Path) -> None:
    recipe = recipe_in_store(tmp_path)
    train(recipe)
    (config,) = (tmp_path / "bucket").rglob("config.json")
    flip_a_byte(config)
    with pytest.raises(UserError, match=r"small/published/training/versions/.*/config\.json: is not what was written"):
        train(recipe)


def test_another_ranks_node_fetches_what_the_first_rank_has_published(tmp_path: Path) -> None:
    uri = f"file://{tmp_path}/bucket/run"
    first, second = staged(tmp_path, "first", uri), staged(tmp_path, "second", uri)
    first.begin()
    best = first.checkpoint(PhaseName.JOINT, "best_loss")
    last = first.checkpoint(PhaseName.JOINT, "last")
    for number in range(3):
        last.mkdir(parents=True, exist_ok=True)
        (last / "SHA256SUMS").write_text(f"{number}")
        (last / "model.json").write_text(f"model {number}")
        first.publish(last, also={best: last} if number == 1 else {})
        theirs = second.checkpoint(PhaseName.JOINT, "last")
        second.fetch(theirs)
        assert (theirs / "model.json").read_text() == f"model {number}"
    theirs = second.checkpoint(PhaseName.JOINT, "best_loss")
    second.fetch(theirs, "SHA256SUMS")
    assert [path.name for path in theirs.iterdir()] == ["SHA256SUMS"], "only what is asked for"
    second.fetch(theirs)
    assert (theirs / "model.json").read_text() == "model 1"
    unknown = second.checkpoint(PhaseName.JOINT, "healthy")
    unknown.mkdir(parents=True)
    second.fetch(unknown)
    assert not unknown.exists(), "the run has none"


def test_a_newer_driver_fences_off_the_workers_of_the_older(tmp_path: Path) -> None:
    uri = f"file://{tmp_path}/bucket/run"
    older = staged(tmp_path, "driver", uri).begin()
    worker = staged(tmp_path, "worker", uri)
    worker.begin(driver=older)
    worker.check_still_ours("")
    staged(tmp_path, "another driver", uri).begin()
    worker.finished.write_text("{}")
    for refused in (lambda: worker.check_still_ours(""), lambda: worker.publish(worker.finished)):
        with pytest.raises(Superseded, match="another `distxml` command has taken over this run; this one stops"):
            refused()
    with pytest.raises(Superseded):
        staged(tmp_path, "its successor", uri).begin(driver=older)
    worker.failure.write_text("the older one's")
    worker.upload(worker.failure)
    assert not (tmp_path / "bucket/run/failure.log").exists()


def test_what_is_to_be_looked_at_is_what_is_here(tmp_path: Path) -> None:
    run = staged(tmp_path, "node", f"file://{tmp_path}/bucket/run")
    run.figures.mkdir()
    for name in ("old.svg", "roc.svg"):
        (run.figures / name).write_text(name)
    run.report.write_text("page")
    run.upload(run.figures, run.report)
    (run.figures / "old.svg").unlink()
    run.upload(run.figures)
    assert sorted(run.store.names()) == ["figures/roc.svg", "report.html"]
    run.report.unlink()
    run.upload(run.report)
    assert sorted(run.store.names()) == ["figures/roc.svg"]


@pytest.mark.slow
def test_what_grows_is_uploaded_to_the_end_when_its_writer_is_killed(tmp_path: Path) -> None:
    """The uploader outlives the process that has started it, and stops where another driver has taken over."""
    uri = f"file://{tmp_path}/bucket/run"
    attempt = staged(tmp_path, "driver", uri).begin()
    writes = f"""
import os, pathlib, signal
from distxml.storage.runs import run_of_worker
with run_of_worker({uri!r}, {attempt!r}, is_first=True) as run:
    run.tensorboard.mkdir(exist_ok=True)
    (run.tensorboard / "events").write_text("all of it")
    run.metrics.write_text("the log")
    os.kill(os.getpid(), signal.SIGKILL)
"""
    for newer, found in ((False, "all of it"), (True, "of the older one")):
        if newer:
            (tmp_path / "bucket/run/tensorboard/events").write_text("of the older one")
            writes = writes.replace("os.kill(", f"StoredRun(run.path, open_store({uri!r})).begin(); os.kill(")
            writes = "from distxml.storage.runs import StoredRun, open_store\n" + writes
        ended = subprocess.run([sys.executable, "-c", writes], check=False, timeout=60)
        assert ended.returncode == -signal.SIGKILL
        wait_until(lambda: (tmp_path / "bucket/run/tensorboard/events").exists() and not uploaders(uri))
        assert (tmp_path / "bucket/run/tensorboard/events").read_text() == found
        assert (tmp_path / "bucket/run/metrics.jsonl").read_text() == "the log"


def uploaders(uri: str) -> list[Path]:
    """Processes at work for a run."""
    found = []
    for words in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if b"distxml.storage.uploader" in words.read_bytes() and uri.encode() in words.read_bytes():
                found.append(words)
    return found


def wait_until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_a_folder_that_holds_something_else_is_refused(tmp_path: Path) -> None:
    recipe = recipe_in_store(tmp_path)
    (tmp_path / "bucket/small").mkdir(parents=True)
    (tmp_path / "bucket/small/thesis.txt").touch()
    with pytest.raises(
        UserError, match=r"small: the folder is not empty and holds no run \(thesis.txt\); choose anoth"
    ):
        train(recipe)


def test_other_settings_are_refused_as_on_a_disk(trained: Path) -> None:
    with pytest.raises(
        UserError, match=r"run file://.*small: was started with run.seed=0, not 1; resume with the same"
    ):
        train(recipe_in_store(trained, "run.seed=1"))
