"""What `cluster/submit.py` refuses before it asks anybody, and what it makes of the rest."""

import argparse
import socket
import subprocess
import sys

import pytest

from cluster.submit import _entrypoint, _refusal, _runtime_environment
from tests.unit.cluster_files.files import CLUSTER

SHARED = "run.folder=/shared/runs"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["train", "polygons"], "run.folder is missing"),
        (["train", "polygons", "run.folder=runs"], "run.folder=runs: give the whole path"),
        (["train", "polygons", SHARED, "dataset.path=data/polygons"], "dataset.path=data/polygons: give the whole"),
        (["train", "polygons", SHARED, "dataset.path=s3://bucket/polygons"], None),
        (["evaluate", "/shared/runs/polygons", "evaluation.f=classifier_phase"], None),
    ],
)
def test_a_job_must_not_write_into_its_own_copy_of_the_folder(words: list[str], said: str | None) -> None:
    refusal = _refusal(words)
    assert refusal == said or (refusal and said and said in refusal)


def request(*words: str, folder: str | None = None) -> argparse.Namespace:
    return argparse.Namespace(name="it's mine", words=list(words), folder=folder, working_dir=".")


def test_the_run_has_the_jobs_name() -> None:
    assert _entrypoint(request("train", "polygons", SHARED)) == (
        f"exec distxml train polygons {SHARED} 'run.name=it'\"'\"'s mine'"
    )
    assert (
        _entrypoint(request("evaluate", "runs/a", folder="/my own")) == "cd '/my own' && exec distxml evaluate runs/a"
    )


def test_a_folder_travels_unless_the_job_works_in_one_of_the_nodes() -> None:
    travelling, staying = _runtime_environment(request("train")), _runtime_environment(request("train", folder="/a"))
    assert travelling == staying | {"working_dir": "."}
    assert int(staying["env_vars"]["RAY_JOB_STOP_WAIT_TIME_S"]) >= 60


@pytest.mark.slow
def test_a_head_that_is_not_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
    command = [sys.executable, str(CLUSTER / "submit.py"), f"--address={address}", "a", "train", "polygons", SHARED]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and done.stderr.startswith(f"submit: {address}: ")
    assert "is the head up, the tunnel open" in done.stderr and "Traceback" not in done.stderr
