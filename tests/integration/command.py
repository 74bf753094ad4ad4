"""Runs `distxml` as a user would, in a process of its own, or in this one where it makes no difference."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from unittest import mock

from distxml.cli.main import run
from tests.integration.ray_cluster import RayCluster

REPOSITORY = Path(__file__).parents[2]
DISTXML = [str(Path(sys.executable).with_name("distxml"))]


def distxml(*words: object, cwd: Path, cluster: RayCluster | None = None) -> subprocess.CompletedProcess[str]:
    """The finished command, with what it printed; without a cluster to join, with a Ray of its own."""
    command = DISTXML + [str(word) for word in words]
    environment = os.environ | (cluster.environment if cluster else {})
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=600, check=False, env=environment)


def distxml_in_process(*words: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    """As `distxml`, without the seconds that another Python and another torch take to start.

    For commands that end before Ray is started: Ray would stay, and hear this process's signals.
    """
    command = ["distxml", *(str(word) for word in words)]
    out, err, status = StringIO(), StringIO(), 0
    with chdir(cwd), redirect_stdout(out), redirect_stderr(err), mock.patch.object(sys, "argv", command):
        try:
            run()
        except SystemExit as ended:
            status = ended.code if isinstance(ended.code, int) else 0
    return subprocess.CompletedProcess(command, status, out.getvalue(), err.getvalue())


def build_polygons(folder: Path, *settings: str, dataset: str = "data/polygons") -> None:
    """The demo's dataset below a folder, small: 120 images of 16 pixels, unless the settings say otherwise."""
    small = ("source.images=120", "source.image_size=16", "--workers", "1")
    built = distxml_in_process("data", "build", "polygons", dataset, *small, *settings, cwd=folder)
    assert built.returncode == 0, built.stderr


@dataclass(frozen=True)
class DistxmlSession:
    """Commands that are run one after the other in one process of their own."""

    process: subprocess.Popen[str]

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """The finished command, with what it printed."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps(words) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        assert answer, f"{words} ended the process"
        return subprocess.CompletedProcess(words, *json.loads(answer))


@contextmanager
def distxml_session(cwd: Path, cluster: RayCluster) -> Iterator[DistxmlSession]:
    """A session in the folder `cwd`, whose commands join the cluster."""
    command = [sys.executable, "-m", "tests.integration.session"]
    environment = os.environ | cluster.environment | {"PYTHONPATH": str(REPOSITORY)}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=cwd, env=environment, text=True, stdin=pipe, stdout=pipe) as process:
        yield DistxmlSession(process)
        assert process.stdin is not None
        process.stdin.close()


SMALL_TRAINING = (
    "loader.image_size=16",
    "loader.batch_size=8",
    "model.classifier=small_resnet",
    "model.width=4",
    "model.explainer_width=4",
    "run.gallery=2",
)
"""Overrides that make a run last seconds."""
