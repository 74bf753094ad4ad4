"""What takes seconds to make is made by one of the workers of pytest-xdist; the others wait for it and read it too."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock


def made_once(tmp_path_factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """A folder of the test session.

    Args:
        name: of the folder.
        make: fills the folder that it is given, which does not exist yet.
    """
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base  # a worker's own folder lies in the session's
    folder, made = shared / name, shared / f"{name} is made"
    with FileLock(shared / f"{name}.lock"):
        if not made.exists():
            make(folder)
            made.touch()
    return folder
