"""Settings of all tests."""

import os
import shutil

import pytest
from hypothesis import settings

from tests.quick_guard import QuickGuard
from tests.ray_of_its_own import keep_ray_apart

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is imported: small tensors, and several tests at a time

settings.register_profile("shared_machine", deadline=None, max_examples=50)
settings.load_profile("shared_machine")


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(QuickGuard())
    if not hasattr(
        config, "workerinput"
    ):  # workers of pytest-xdist have the environment of the process that started them
        folder = keep_ray_apart(os.environ)
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
