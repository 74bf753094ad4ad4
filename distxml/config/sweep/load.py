"""Reading a sweep file with overrides: those of the sweep, and those of the recipe that all trials share."""

from typing import Any

import yaml

from distxml.config import load_settings
from distxml.config.load import validate
from distxml.config.sweep import SweepSettings
from distxml.errors import UserError


def load_sweep(file: str, overrides: list[str]) -> SweepSettings:
    """A sweep file's settings.

    Args:
        file: path of a YAML file.
        overrides: `a.b=c` each, of the sweep, or of the recipe: that holds for all trials, and is searched no more.

    Raises:
        UserError: the file or an override is wrong.
    """
    own = [override for override in overrides if _first_name(override) in SweepSettings.model_fields]
    of_recipe = dict(_parsed(override) for override in overrides if override not in own)
    sweep = load_settings(SweepSettings, file, own, shelf="sweeps")
    if not of_recipe:
        return sweep
    content = sweep.model_dump(mode="json", exclude_unset=True)
    content["settings"] = sweep.settings | of_recipe
    left = [{name: each for name, each in step.items() if name not in of_recipe} for step in _steps(content)]
    left = [step for step in left if step]
    if not left:
        raise UserError(f"{file}: nothing is left to search: {', '.join(of_recipe)} are given; leave one of them out")
    if sweep.steps:
        content["steps"] = [{"parameters": step} for step in left]
    else:
        content["parameters"] = left[0]
    return validate(SweepSettings, content, file)


def _steps(content: dict[str, Any]) -> list[dict[str, Any]]:
    """The parameters of each step, as `SweepSettings.all_steps` has them."""
    return [step["parameters"] for step in content.get("steps", ())] or [content["parameters"]]


def _first_name(override: str) -> str:
    return override.partition("=")[0].partition(".")[0].strip()


def _parsed(override: str) -> tuple[str, object]:
    name, equals, text = override.partition("=")
    if not equals or not name.strip():
        raise UserError(f"override {override!r}: must look like a.b=value")
    try:
        return name.strip(), yaml.safe_load(text)
    except yaml.YAMLError:
        raise UserError(f"override {override!r}: {text!r} is not a YAML value; quote it") from None
