"""The whole flow in an S3 bucket, dataset and run, with real Ray workers and DALI: the same as in local folders."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from distxml.config.phases import PhaseName
from distxml.config.run_folder import RunFolder
from distxml.data.schema import open_dataset
from distxml.evaluation.results import load_results
from distxml.monitoring.metrics_log import read_metrics
from distxml.storage.files import open_store
from distxml.storage.runs import run_to_read
from tests.integration.command import SMALL_TRAINING, build_polygons, distxml, distxml_in_process
from tests.integration.ray_cluster import RayCluster, ray_cluster
from tests.integration.watched_process import WatchedProcess
from tests.s3_server import BUCKET, s3_server

pytestmark = pytest.mark.slow

SMALL_DATASET = ("source.images=120", "source.image_size=16", "rows_per_shard=20", "rows_per_group=4")
EPOCHS_OF = {PhaseName.CLASSIFIER: 1, PhaseName.EXPLAINER: 8, PhaseName.JOINT: 1}
TRAINING = (
    *SMALL_TRAINING,
    *(f"phases.{phase}.epochs={number}" for phase, number in EPOCHS_OF.items()),
    "phases.explainer.until=null",
    "loader.shuffle_buffer=32",
    "loader.backend=dali",
    "loader.augmentation={preset: paper, probability: 1.0}",
    "run.name=run",
)
"""DALI, which reads from the bucket what any backend would read."""
EPOCHS = 10
SCORED = ("evaluation.curve_images=2", "evaluation.patch_sizes=[4]", "evaluation.fills=[black]")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a dataset whose row groups are smaller than the shuffle buffer, and a server that is up."""
    folder = tmp_path_factory.mktemp("place")
    build_polygons(folder, "rows_per_shard=20", "rows_per_group=4")
    with s3_server(), mock.patch.dict(os.environ, {"DISTXML_STAGING": str(folder / "staging")}):
        yield folder


@pytest.fixture
def near_the_bucket(place: Path) -> Iterator[RayCluster]:
    """A cluster whose workers know where the server is: their environment is that of their node."""
    with ray_cluster() as cluster:
        yield cluster


def test_a_run_in_a_bucket_is_the_one_on_a_disk_also_after_it_was_killed(
    place: Path, near_the_bucket: RayCluster
) -> None:
    """Trained, killed in the middle, resumed, scored, reported, explained; nothing but the bucket holds any of it.

    Beside it a run on a disk, of the same dataset in a folder.
    """
    data, runs = f"s3://{BUCKET}/built", f"s3://{BUCKET}/runs"
    built = distxml_in_process("data", "build", "polygons", data, *SMALL_DATASET, "--workers", "1", cwd=place)
    assert built.returncode == 0 and f"Dataset: {data}" in built.stdout, built.stderr
    assert_whole(data, place)
    on_disk = (*TRAINING, "dataset.path=data/polygons", "run.folder=runs")
    whole = distxml("train", "polygons", *on_disk, cwd=place, cluster=near_the_bucket)
    assert whole.returncode == 0, whole.stdout + whole.stderr
    stored = WatchedProcess(place, "run", cluster=near_the_bucket)
    in_bucket = (*TRAINING, f"dataset.path={data}", "dataset.cache=cache", f"run.folder={runs}")
    stored.launch("train", "polygons", *in_bucket)
    stored.wait_until(lambda: "phase 2, explainer  epoch 3/" in stored.output)
    stored.signal(signal.SIGKILL)
    done = distxml("train", "polygons", *in_bucket, cwd=place, cluster=near_the_bucket)
    assert done.returncode == 0 and f"trained: {runs}/run" in done.stdout, done.stdout + done.stderr
    assert "resumed in the explainer phase" in done.stdout + done.stderr
    assert len(list((place / "cache").glob("*.parquet"))) == 6, "5 shards of train, 1 of val, and no more until asked"
    for run in (f"{runs}/run", "runs/run"):
        scored = distxml("evaluate", run, *SCORED, cwd=place, cluster=near_the_bucket)
        assert scored.returncode == 0, scored.stdout + scored.stderr
    again = distxml_in_process("evaluate", f"{runs}/run", *SCORED, cwd=place)
    assert again.returncode == 0 and "finished before and are reused" in again.stdout + again.stderr, again.stderr
    assert_equal_to_the_bit(RunFolder(place / "runs/run"), f"{runs}/run")
    reported = distxml_in_process("report", f"{runs}/run", cwd=place)
    assert reported.returncode == 0 and f"{runs}/run/report.html" in reported.stdout, reported.stderr
    page = open_store(runs).get("run/report.html").decode()
    assert "<h1>run</h1>" in page and data in page
    cv2.imwrite(str(place / "photo.png"), np.zeros((16, 16, 3), np.uint8))
    explained = distxml_in_process("explain", f"{runs}/run", "photo.png", cwd=place)
    assert explained.returncode == 0, explained.stderr
    board = EventAccumulator(f"{runs}/run/tensorboard").Reload()
    assert [scalar.step for scalar in board.Scalars("total/val")] == list(range(1, EPOCHS + 1))


def assert_whole(data: str, place: Path) -> None:
    """The dataset is the one that lies in the folder, and whole."""
    inspected = distxml_in_process("data", "inspect", data, cwd=place)
    assert inspected.returncode == 0 and "all checksums right" in inspected.stdout, inspected.stderr
    assert (place / "contact_sheet.png").stat().st_size > 1000
    assert open_dataset(data).metadata == open_dataset(str(place / "data/polygons")).metadata


def assert_equal_to_the_bit(disk: RunFolder, uri: str) -> None:
    """Every checkpoint, the log of epochs, and all rows of the evaluation."""
    with run_to_read(uri) as stored:
        stored.fetch(stored.evaluation)
        found = sorted(path.relative_to(disk.path) for path in disk.path.glob("checkpoints/*/*"))
        assert len(found) >= 9
        for folder in found:
            stored.fetch(stored.path / folder)
            ours, theirs = (load_file(run.path / folder / "model.safetensors") for run in (disk, stored))
            assert all(torch.equal(ours[name], theirs[name]) for name in ours), folder
        logs = [[line["val"] for line in read_metrics(run.metrics) if "val" in line] for run in (disk, stored)]
        assert logs[0] == logs[1] and len(logs[0]) == EPOCHS
        one, other = load_results(disk.evaluation), load_results(stored.evaluation)
        assert one.images.equals(other.images) and one.heatmaps.equals(other.heatmaps)
        assert one.curves.equals(other.curves)


@pytest.mark.parametrize("folder", ["s3://no-such-bucket/x", "nowhere://x", "http://127.0.0.1/x"])
def test_a_uri_that_cannot_be_written_is_one_line(place: Path, folder: str) -> None:
    for words in (("train", "polygons", f"run.folder={folder}"), ("data", "build", "polygons", f"{folder}/data")):
        done = distxml_in_process(*words, cwd=place)
        assert done.returncode == 2 and folder in done.stderr, done.stderr
        assert len(done.stderr.strip().splitlines()) == 1, done.stderr


@pytest.mark.parametrize("path", ["s3://data/gone", "s3://no-such-bucket/x", "nowhere://x"])
def test_a_uri_without_a_dataset_is_one_line(place: Path, path: str) -> None:
    done = distxml_in_process("train", "polygons", *SMALL_TRAINING, f"dataset.path={path}", cwd=place)
    assert done.returncode == 2 and path in done.stderr and len(done.stderr.strip().splitlines()) == 1, done.stderr
