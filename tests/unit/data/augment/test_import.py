"""Augmentation imports albumentations, which by itself looks for its newest version on the network."""

import os
import subprocess
import sys

import pytest


@pytest.mark.slow
def test_importing_it_prints_nothing_and_needs_no_network() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "NO_ALBUMENTATIONS_UPDATE"}
    environment["https_proxy"] = "http://127.0.0.1:9"  # nobody listens there
    command = [sys.executable, "-W", "error::UserWarning", "-c", "import distxml.data.augment.opencv"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
