"""The axes of a sweep's figures: a setting's values as numbers, on a scale that suits its range."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distxml.config.sweep.parameter import Parameter

Values = NDArray[np.float64]

NOT_SET = object()
"""Stands for the value of a setting that a trial does not have: its condition did not hold."""


@dataclass(frozen=True)
class SettingAxis:
    """One searched setting over the trials.

    Attributes:
        name: dotted.
        values: of each trial, as placed on the axis; NaN where the trial does not have it.
        logarithmic: whether the axis is.
        labels: of values that are no numbers, by their place; empty where they are numbers.
    """

    name: str
    values: Values
    logarithmic: bool
    labels: tuple[str, ...] = ()

    def places(self) -> Values:
        """The values from 0 to 1 along the axis; NaN stays."""
        values = np.log(self.values) if self.logarithmic else self.values
        low, high = np.nanmin(values), np.nanmax(values)
        return np.full_like(values, 0.5) + 0 * values if high == low else (values - low) / (high - low)

    def end_labels(self) -> tuple[str, str]:
        """What stands at the axis's lower and upper end."""
        low, high = np.nanmin(self.values), np.nanmax(self.values)
        if self.labels:
            return self.labels[int(low)], self.labels[int(high)]
        return f"{low:.3g}", f"{high:.3g}"


def setting_axis(name: str, parameter: Parameter | None, values: Sequence[Any]) -> SettingAxis:
    """The axis of a setting.

    Args:
        parameter: what was searched; None where it is not known.
        values: of the trials; `NOT_SET` where a trial does not have it.
    """
    given = [value for value in values if value is not NOT_SET]
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in given):
        spread = np.array([np.nan if value is NOT_SET else float(value) for value in values])
        logarithmic = parameter is not None and parameter.kind == "loguniform"
        return SettingAxis(name, spread, logarithmic)
    labels = tuple(dict.fromkeys(str(value) for value in given))
    places = [np.nan if value is NOT_SET else labels.index(str(value)) for value in values]
    return SettingAxis(name, np.array(places, np.float64), False, labels)
