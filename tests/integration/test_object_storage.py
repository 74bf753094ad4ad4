"""The whole flow on a dataset in an S3 bucket, with real Ray workers and DALI: the same as from a local folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from distxml.config.phases import PhaseName
from distxml.config.run_folder import RunFolder
from distxml.evaluation.results import load_results
from tests.integration.command import SMALL_TRAINING, build_polygons, distxml, distxml_in_process
from tests.integration.ray_cluster import RayCluster, ray_cluster
from tests.s3_server import s3_server, upload

pytestmark = pytest.mark.slow

SHORT = (
    *(f"phases.{phase}.epochs=1" for phase in PhaseName),
    "loader.shuffle_buffer=32",
    "loader.backend=dali",
    "loader.augmentation={preset: paper, probability: 1.0}",
    "scaling.workers=1",
)
"""DALI, which reads from the bucket what any backend would read."""
SCORED = ("evaluation.curve_images=2", "evaluation.patch_sizes=[4]", "evaluation.fills=[black]")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a dataset whose row groups are smaller than the shuffle buffer, and a server that is up."""
    folder = tmp_path_factory.mktemp("place")
    build_polygons(folder, "rows_per_shard=20", "rows_per_group=4")
    with s3_server():
        yield folder


@pytest.fixture
def near_the_bucket(place: Path) -> Iterator[RayCluster]:
    """A cluster whose workers know where the server is: their environment is that of their node."""
    with ray_cluster() as cluster:
        yield cluster


def test_a_bucket_trains_evaluates_and_reports_as_a_folder_does(place: Path, near_the_bucket: RayCluster) -> None:
    uri = upload(place / "data/polygons", "polygons")
    for name, path in (("local", "data/polygons"), ("bucket", uri)):
        settings = (*SMALL_TRAINING, *SHORT, f"run.name={name}", f"dataset.path={path}", "dataset.cache=cache")
        done = distxml("train", "polygons", *settings, cwd=place, cluster=near_the_bucket)
        assert done.returncode == 0, done.stdout + done.stderr
    local, bucket = RunFolder(place / "runs/local"), RunFolder(place / "runs/bucket")
    ours, theirs = (load_file(run.checkpoint(PhaseName.JOINT, "last") / "model.safetensors") for run in (local, bucket))
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    assert len(list((place / "cache").glob("*.parquet"))) == 6, "5 shards of train, 1 of val, and no more until asked"
    scored = distxml("evaluate", bucket.path, *SCORED, cwd=place, cluster=near_the_bucket)
    assert scored.returncode == 0, scored.stdout + scored.stderr
    assert load_results(bucket.evaluation).summary.dataset_path == uri
    reported = distxml_in_process("report", bucket.path, cwd=place)
    assert reported.returncode == 0, reported.stderr
    assert uri in bucket.report.read_text()
    inspected = distxml_in_process("data", "inspect", uri, cwd=place)
    assert inspected.returncode == 0 and "all checksums right" in inspected.stdout, inspected.stderr
    assert (place / "contact_sheet.png").stat().st_size > 1000


@pytest.mark.parametrize("path", ["s3://data/gone", "s3://no-such-bucket/x", "nowhere://x"])
def test_a_uri_without_a_dataset_is_one_line(place: Path, path: str) -> None:
    done = distxml_in_process("train", "polygons", *SMALL_TRAINING, f"dataset.path={path}", cwd=place)
    assert done.returncode == 2 and path in done.stderr and len(done.stderr.strip().splitlines()) == 1, done.stderr
