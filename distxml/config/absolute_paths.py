"""Settings whose paths mean the same from any working directory: workers have directories of their own."""

from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from distxml.config.locations import absolute
from distxml.config.recipe import DatasetSettings, RunSettings

AnySettings = TypeVar("AnySettings", bound=BaseModel)


def with_absolute_paths(settings: AnySettings) -> AnySettings:
    """The settings with every path in them, and in settings within them, absolute; a URI stays as it is."""
    pairs = [(name, value, _absolute(value)) for name, value in settings]
    changed = {name: made for name, value, made in pairs if made != value}
    if isinstance(settings, DatasetSettings):
        changed["path"] = absolute(settings.path)
    if isinstance(settings, RunSettings):
        changed["folder"] = absolute(settings.folder)
    return settings.model_copy(update=changed)


def _absolute(value: Any) -> Any:
    if isinstance(value, Path):
        return value.resolve()
    return with_absolute_paths(value) if isinstance(value, BaseModel) else value
