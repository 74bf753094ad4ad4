"""Which backend a loader takes, and what is said where DALI is not installed."""

import subprocess
import sys

import pytest

from distxml.config.augmentation import AugmentationSettings
from distxml.config.recipe import LoaderSettings
from distxml.data.augment.opencv import OpenCvBackend
from distxml.data.dali.backend import DaliBackend
from distxml.data.loader import make_backend

WITHOUT_DALI = """
import importlib.machinery, sys

class Hidden(importlib.machinery.PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.startswith("nvidia.dali") else super().find_spec(name, path, target)

sys.meta_path = [Hidden if finder is importlib.machinery.PathFinder else finder for finder in sys.meta_path]
from distxml.config.recipe import LoaderSettings
from distxml.data.loader import make_backend
from distxml.errors import UserError
print(type(make_backend(LoaderSettings(backend="auto"), 0, gpu=0)).__name__)
try:
    make_backend(LoaderSettings(backend="dali"), 0, gpu=0)
except UserError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("backend", "gpu", "expected"),
    [
        ("auto", None, OpenCvBackend),
        ("auto", 0, DaliBackend),
        ("dali", None, DaliBackend),
        ("opencv", 0, OpenCvBackend),
    ],
)
def test_auto_takes_dali_where_there_is_a_gpu(backend: str, gpu: int | None, expected: type) -> None:
    settings = LoaderSettings.model_validate({"backend": backend, "augmentation": AugmentationSettings(preset="none")})
    assert isinstance(make_backend(settings, 0, gpu), expected)


@pytest.mark.slow
def test_without_dali_auto_does_without_and_dali_is_one_clear_line() -> None:
    """A fresh interpreter that does not find the package, as on a machine where it is not installed."""
    done = subprocess.run([sys.executable, "-c", WITHOUT_DALI], capture_output=True, text=True, check=True)
    chosen, refusal = done.stdout.splitlines()
    assert chosen == "OpenCvBackend"
    assert refusal.startswith("loader.backend=dali: NVIDIA DALI is not installed")
    assert "loader.backend=opencv" in refusal
