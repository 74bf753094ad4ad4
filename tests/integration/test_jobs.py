"""`cluster/local_job.sh` and `cluster/submit.py` on a real head: a job is followed, stopped and resumed, and may fail.

Another Ray is up on the machine all the time, which nobody may end.
"""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.integration.command import REPOSITORY
from tests.integration.ray_cluster import RayCluster
from tests.integration.watched_process import PATIENCE
from tests.integration.watched_run import SETTINGS, WatchedRun

LOCAL_JOB, SUBMIT = str(REPOSITORY / "cluster" / "local_job.sh"), str(REPOSITORY / "cluster" / "submit.py")
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"}
ENVIRONMENT |= {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "RAY_AUTH_MODE": "token"}
NAME = "as a job"
CLASSIFIER_EPOCHS = 100
"""Half a minute to a minute, in which a job can be followed and stopped; a classifier alone cannot collapse."""
EPOCHS = (
    f"phases.classifier.epochs={CLASSIFIER_EPOCHS}",
    "phases.classifier.until=null",
    "phases.explainer.epochs=2",
    "phases.joint.epochs=1",
)


@dataclass
class LocalJob:
    """`local_job.sh`, at work in the folder of a run."""

    run: WatchedRun
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def dashboard(self) -> str:
        return self._wait_for(r"dashboard: (\S+)")

    def wait_for_an_epoch(self) -> None:
        self._wait_for(r"phase 1, classifier  epoch 1/")

    def _wait_for(self, pattern: str) -> str:
        start = time.monotonic()
        while not (found := re.search(pattern, self.log.read_text())):
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() - start < PATIENCE, self.log.read_text()
            time.sleep(0.1)
        return found.group(found.lastindex or 0)


@pytest.fixture
def local_jobs(place: Path) -> Iterator[list[subprocess.Popen[bytes]]]:
    """What a failed test leaves of them is ended."""
    started: list[subprocess.Popen[bytes]] = []
    yield started
    for process in started:
        with suppress(ProcessLookupError):
            process.terminate()
        process.wait(timeout=120)


def start(place: Path, jobs: list[subprocess.Popen[bytes]]) -> LocalJob:
    log = place / f"job {len(jobs)}.log"
    words = [LOCAL_JOB, NAME, "polygons", *SETTINGS, "scaling.workers=1", *EPOCHS]
    with log.open("wb") as out:
        jobs.append(subprocess.Popen(words, cwd=place, env=ENVIRONMENT, stdout=out, stderr=subprocess.STDOUT))
    return LocalJob(WatchedRun(place, NAME), jobs[-1], log)


def submit(dashboard: str, *words: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, SUBMIT, f"--address={dashboard}", *words]
    return subprocess.run(
        command, cwd=cwd, env=ENVIRONMENT | environment, capture_output=True, text=True, timeout=PATIENCE, check=False
    )


@pytest.mark.slow
def test_a_job_is_stopped_and_the_same_command_resumes_it(
    place: Path, cluster: RayCluster, local_jobs: list[subprocess.Popen[bytes]]
) -> None:
    job = start(place, local_jobs)
    job.wait_for_an_epoch()
    _following_ends_and_the_job_goes_on(job.dashboard, place)
    stop = ["ray", "job", "stop", "--address", job.dashboard, NAME]
    subprocess.run(stop, env=ENVIRONMENT, capture_output=True, check=True)
    assert job.process.wait(timeout=PATIENCE) == 1
    said = job.log.read_text()
    assert "the same command resumes from there" in said and f"stopped: {NAME}" in said
    assert not job.run.folder.finished.exists()

    again = start(place, local_jobs)
    _other_jobs_beside_it(again.dashboard, place)
    assert again.process.wait(timeout=PATIENCE) == 0, again.log.read_text()
    assert f"succeeded: {NAME}" in again.log.read_text() and len(again.run.events("resumed")) == 1
    assert [event["global_epoch"] for event in again.run.events("epoch")] == list(range(1, CLASSIFIER_EPOCHS + 4))
    _only_its_own_ray_has_ended(cluster)


def _other_jobs_beside_it(dashboard: str, place: Path) -> None:
    """A failing one, whose name is used again; one without the token."""
    nowhere = submit(dashboard, "look", "data", "inspect", "/nowhere", cwd=REPOSITORY)
    assert nowhere.returncode == 2 and "failed: look" in nowhere.stdout, nowhere.stdout + nowhere.stderr
    found = submit(dashboard, "look", "data", "inspect", str(place / "data/polygons"), cwd=REPOSITORY)
    assert found.returncode == 0 and "succeeded: look" in found.stdout, found.stdout + found.stderr
    stranger = submit(dashboard, "look", "data", "inspect", "/nowhere", cwd=REPOSITORY, RAY_AUTH_TOKEN="a stranger's")
    assert stranger.returncode == 2 and "Traceback" not in stranger.stderr, stranger.stderr
    assert "the same as on the head" in stranger.stderr


def _following_ends_and_the_job_goes_on(dashboard: str, place: Path) -> None:
    command = [sys.executable, SUBMIT, f"--address={dashboard}", f"--in={place}", NAME, "train", "polygons"]
    with subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True) as follower:
        assert follower.stdout is not None
        assert "already at work" in follower.stdout.readline()
        assert "phase 1" in next(line for line in follower.stdout if line.startswith("phase"))
        follower.send_signal(signal.SIGINT)
        rest = follower.stdout.read()
    assert follower.returncode == 130 and f"still at work: {NAME}" in rest


def _only_its_own_ray_has_ended(cluster: RayCluster) -> None:
    left = subprocess.run(["pgrep", "-f", "/tmp/ray-job-"], capture_output=True, text=True, check=False).stdout
    assert left == "" and not list(Path("/tmp").glob("ray-job-*"))
    host, port = cluster.address.split(":")
    socket.create_connection((host, int(port)), timeout=5).close()
    assert cluster.process.poll() is None
