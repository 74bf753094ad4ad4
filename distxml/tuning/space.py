"""The space of a sweep's parameters: which of them are set in a trial, and to what."""

import math
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any

from omegaconf import OmegaConf

from distxml.config import Recipe
from distxml.config.load import with_settings
from distxml.config.sweep.parameter import Parameter
from distxml.config.sweep.sweep import Parameters
from distxml.errors import UserError

Assignment = dict[str, Any]
"""What the search chose, by dotted names of the recipe's settings."""
LAST_PHASE_ALONE = "phases.2."
"""Settings that only the last phase depends on: a grid varies them slowest, so that trials that run side by side train
different early phases instead of waiting for the same one."""


class Space:
    """Parameters over a base recipe."""

    def __init__(self, parameters: Parameters, base: Recipe) -> None:
        self.parameters = parameters
        self._base = OmegaConf.create(base.model_dump(mode="json"))

    def draw(self, value_of: Callable[[str, Parameter], Any], given: Assignment) -> Assignment:
        """One trial's values: those of `value_of`, for the parameters whose conditions hold.

        Args:
            value_of: what the search says of a parameter.
            given: what was chosen before, in earlier steps.
        """
        chosen: Assignment = {}
        for name, parameter in self.parameters.items():
            if self._is_set(parameter, given | chosen):
                chosen[name] = parameter.fixed if parameter.kind == "fixed" else value_of(name, parameter)
        return chosen

    def grid(self, given: Assignment) -> list[Assignment]:
        """Every combination once; what the last phase alone depends on varies slowest. `given`: see `draw`."""
        open_ones = [name for name, parameter in self.parameters.items() if parameter.kind != "fixed"]
        order = sorted(open_ones, key=lambda name: not name.startswith(LAST_PHASE_ALONE))
        lists = [self.parameters[name].listed for name in order]
        found: list[Assignment] = []
        for values in product(*lists):
            by_name = dict(zip(order, values, strict=True))
            combination = self.draw(lambda name, _, by_name=by_name: by_name[name], given)
            if combination not in found:  # parameters that are not set make some the same
                found.append(combination)
        return found

    def most_combinations(self) -> int:
        """Of a grid, whatever was chosen before."""
        return math.prod(len(parameter.listed) for parameter in self.parameters.values())

    def _is_set(self, parameter: Parameter, chosen: Assignment) -> bool:
        return all(self._meets(name, wanted, chosen) for name, wanted in parameter.when.items())

    def _meets(self, name: str, wanted: Any, chosen: Assignment) -> bool:
        value = chosen[name] if name in chosen else OmegaConf.select(self._base, name)
        return value in wanted if isinstance(wanted, list) else value == wanted


def check_parameters(parameters: Parameters, base: Recipe, origin: str) -> None:
    """Whether each value of each parameter, by itself, is one that its setting may have.

    Combinations may still not go together: such trials fail, and are recorded with the reason.

    Raises:
        UserError: a setting does not exist, does not take a value, or is a path that leads elsewhere from elsewhere.
    """
    for name, values in _values(parameters):
        for value in values:
            recipe = with_settings(base, _company(parameters, name) | {name: value}, f"{origin}: parameters.{name}")
            if not all(path.is_absolute() for path in _searched_paths(recipe)):
                raise UserError(f"{origin}: parameters.{name}={value}: trials run elsewhere; write the whole path")


def _searched_paths(recipe: Recipe) -> list[Path]:
    found = [recipe.warm_start.checkpoint if recipe.warm_start else None, recipe.model.pretrained]
    return [path for path in found if isinstance(path, Path)]


def _values(parameters: Parameters) -> Iterator[tuple[str, tuple[Any, ...]]]:
    for name, parameter in parameters.items():
        ends = parameter.listed
        yield name, tuple(int(end) for end in ends) if parameter.kind == "integer" else ends


def _company(parameters: Parameters, name: str) -> Assignment:
    """What a parameter's own conditions ask for, so that it is checked where it is set."""
    wanted = parameters[name].when.items()
    return {other: value[0] if isinstance(value, list) else value for other, value in wanted}
