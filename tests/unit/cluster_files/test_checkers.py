"""Scripts, image and units under the eyes of the tools that their crafts have."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.unit.cluster_files.files import CLUSTER

BIN = Path(sys.executable).parent
SCRIPTS = ["local_job.sh", "slurm/train.sbatch"]
UNITS = ["ray-head.service", "ray-worker.service"]
INSTALLED_AT = "/opt/distxml/bin/"


def complaints(*command: str | Path) -> str:
    """What a checker prints; it must end with 0 where that is nothing."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr if done.returncode == 0 or done.stdout + done.stderr else str(done.returncode)


@pytest.mark.slow
@pytest.mark.parametrize("name", SCRIPTS)
def test_shellcheck(name: str) -> None:
    assert complaints("bash", "-n", CLUSTER / name) == ""
    assert complaints(BIN / "shellcheck", CLUSTER / name) == ""


@pytest.mark.slow
def test_shellcheck_sees_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "wrong.sh").write_text("#!/usr/bin/env bash\nrm -rf $1/*\n")
    assert "SC2086" in complaints(BIN / "shellcheck", tmp_path / "wrong.sh")


@pytest.mark.slow
def test_hadolint(tmp_path: Path) -> None:
    assert complaints(BIN / "hadolint", CLUSTER / "docker" / "Dockerfile") == ""
    (tmp_path / "Dockerfile").write_text("FROM python\nRUN cd /tmp\n")
    assert "DL3006" in complaints(BIN / "hadolint", tmp_path / "Dockerfile")


@pytest.mark.slow
@pytest.mark.parametrize("name", UNITS)
def test_systemd(name: str, tmp_path: Path) -> None:
    checker = shutil.which("systemd-analyze")
    if checker is None:
        pytest.skip("needs systemd-analyze")
    text = (CLUSTER / "systemd" / name).read_text().replace(INSTALLED_AT, f"{BIN}/")
    unit = tmp_path / name
    unit.write_text(text)
    assert complaints(checker, "verify", "--man=no", unit) == ""
    unit.write_text(text.replace("RestartSec", "RestartSecs"))
    assert "RestartSecs" in complaints(checker, "verify", "--man=no", unit)


def test_the_image_holds_what_is_pinned_and_runs_as_nobody_special() -> None:
    lines = (CLUSTER / "docker" / "Dockerfile").read_text().splitlines()
    stages = [line.split()[-1] for line in lines if line.startswith("FROM ")]
    assert stages == ["installed", "cuda", "cpu"] and "USER 1000:1000" in lines
    assert any("pip install --constraint constraints.txt" in line for line in lines)
    project = tomllib.loads((CLUSTER.parent / "pyproject.toml").read_text())["project"]
    assert project["requires-python"] == ">=3.11"
    assert any(line.startswith("FROM python:3.11-") for line in lines)


def test_what_the_image_copies_is_sent_to_the_builder() -> None:
    lines = (CLUSTER / "docker" / "Dockerfile").read_text().splitlines()
    copied = {word for line in lines if line.startswith("COPY ") for word in line.split()[1:-1]}
    ignored = (CLUSTER / "docker" / "Dockerfile.dockerignore").read_text().splitlines()
    assert copied == {line[1:] for line in ignored if line.startswith("!")}
    assert all((CLUSTER.parent / name).exists() for name in copied)
    links = [path.resolve() for path in (CLUSTER.parent / "distxml").rglob("*") if path.is_symlink()]
    assert links and {link.relative_to(CLUSTER.parent).parts[0] for link in links} <= copied, "recipes lie outside"
