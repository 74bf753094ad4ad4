"""The exit status is right also where nothing can be printed any more."""

import os
import sys
from pathlib import Path

import pytest

from distxml.cli.main import run


def test_an_error_whose_log_lies_on_a_full_disk_keeps_its_exit_status(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(sys, "argv", ["distxml", "data", "inspect", str(tmp_path / "nowhere")])
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(sys, name, os.fdopen(os.open("/dev/full", os.O_WRONLY), "w"))
    with pytest.raises(SystemExit) as ended:
        run()
    assert ended.value.code == 2
    sys.stderr.flush()  # as Python does when it ends: nothing is left that cannot be written
    sys.stdout.flush()
