"""A finished training that several tests start from."""

from pathlib import Path

import pytest

from tests.made_once import made_once
from tests.unit.training.small_training import small_recipe, small_trainer


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the small dataset and the finished run of `small_recipe(trained)`; only to be read or copied."""
    return made_once(tmp_path_factory, "trained", lambda folder: small_trainer(small_recipe(folder)).fit())
