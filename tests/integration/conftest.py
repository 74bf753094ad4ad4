"""What several integration tests start from."""

from pathlib import Path

import pytest

from tests.integration.command import distxml


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder, with a space and a quote in its name, that holds a small dataset."""
    folder = tmp_path_factory.mktemp("it's a place")
    settings = ("source.images=120", "source.image_size=16")
    built = distxml("data", "build", "polygons", "data/polygons", *settings, cwd=folder)
    assert built.returncode == 0, built.stderr
    return folder
