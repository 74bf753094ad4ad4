"""From `loader.backend` to a backend."""

import importlib.util

from distxml.config.recipe import LoaderSettings
from distxml.data.albumentations_backend import AlbumentationsBackend
from distxml.data.backend import Backend
from distxml.errors import UserError


def make_backend(settings: LoaderSettings, seed: int, gpu: int | None) -> Backend:
    """The backend that the settings choose; `auto` is DALI where there is a GPU and DALI is installed.

    Args:
        settings: `backend`, and what the backend needs.
        seed: of the augmentation.
        gpu: index of the GPU that the rank trains on, or None.

    Raises:
        UserError: DALI is asked for and is not installed.
    """
    installed = _is_installed()
    if settings.backend == "dali" and not installed:
        raise UserError(
            "loader.backend=dali: NVIDIA DALI is not installed (it exists for Linux alone: "
            "`pip install nvidia-dali-cuda130`); install it, or set loader.backend=albumentations"
        )
    if settings.backend == "dali" or (settings.backend == "auto" and gpu is not None and installed):
        from distxml.data.dali_backend import DaliBackend

        return DaliBackend(settings, seed, gpu)
    return AlbumentationsBackend(settings, seed)


def _is_installed() -> bool:
    try:
        return importlib.util.find_spec("nvidia.dali") is not None
    except ModuleNotFoundError:  # there is no package `nvidia` at all
        return False
