"""Figures of a sweep: parallel coordinates, importance, slices, the plane of two objectives."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, NullFormatter
from numpy.typing import NDArray

from distxml.config.sweep.parameter import Parameter
from distxml.report.figure import BLUE, INK, LINE, MUTED, ORANGE, Panel, Picture

NOT_SET = object()
"""Stands for the value of a setting that a trial does not have: its condition did not hold."""

GRADES = (MUTED, BLUE, ORANGE)
"""Of lines and points: trials that were stopped or are the lower half, the upper half, the best."""

NAME_LETTERS = 14
"""Of a name, in a line."""

Values = NDArray[np.float64]


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


def parallel_coordinates(axes: Sequence[SettingAxis], score: Values, best: Sequence[int], scored: str) -> Picture:
    """One line per trial, across its settings to its score; the best on top.

    Args:
        axes: the searched settings, n trials each.
        score: n, more is better; NaN where there is none.
        best: indices of the best trials.
        scored: name of the score.
    """
    columns = [*axes, SettingAxis(scored, score, False)]
    with Panel(max(4.5, 1.15 * len(columns)), 3.0) as panel:
        for index in np.argsort(np.nan_to_num(score, nan=-np.inf)):
            if np.isfinite(score[index]):
                heights = np.array([column.places()[index] for column in columns])
                there = np.flatnonzero(np.isfinite(heights))  # a line passes over what its trial does not have
                grade = _grade(int(index), score, best)
                width = 2.2 if grade == ORANGE else 0.8
                panel.axes.plot(there, heights[there], color=grade, linewidth=width, marker="o", markersize=2)
        _name_columns(panel.axes, columns)
        return panel.picture(
            f"{int(np.isfinite(score).sum())} trials, one line each, across {', '.join(axis.name for axis in axes)} to "
            f"{scored}; orange is the best, blue the better half"
        )


def importance_figure(importances: Mapping[str, float]) -> Picture:
    """One bar per setting, the most important on top."""
    names, shares = list(importances)[::-1], list(importances.values())[::-1]
    with Panel(4.2, 0.8 + 0.28 * len(names)) as panel:
        panel.axes.barh(range(len(names)), shares, color=BLUE, height=0.6)
        panel.axes.set_yticks(range(len(names)), names)
        panel.axes.set(xlabel="importance (PED-ANOVA)", xlim=(0, max(shares) * 1.1 or 1))
        panel.axes.grid(False, axis="y")
        words = ", ".join(f"{name} {share:.2f}" for name, share in importances.items())
        return panel.picture(f"Importance of the settings: {words}")


def slice_figure(axis: SettingAxis, score: Values, best: Sequence[int], scored: str) -> Picture:
    """One point per trial: a setting against what it led to.

    Args:
        axis: the setting, n trials.
        score: n, more is better; NaN where there is none.
        best: indices of the best trials.
        scored: name of the score.
    """
    with Panel(2.9, 2.3) as panel:
        for index in np.flatnonzero(np.isfinite(score) & np.isfinite(axis.values)):
            panel.axes.plot(
                axis.values[index], score[index], "o", color=_grade(int(index), score, best), markersize=4, alpha=0.9
            )
        if axis.logarithmic:
            panel.axes.set_xscale("log")
            panel.axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            panel.axes.xaxis.set_minor_formatter(NullFormatter())
        if axis.labels:
            panel.axes.set_xticks(range(len(axis.labels)), axis.labels)
        panel.axes.set(xlabel=axis.name, ylabel=scored)
        return panel.picture(f"{scored} of each trial over {axis.name}; orange is the best")


def plane_figure(x: Values, y: Values, names: tuple[str, str], numbers: Sequence[int], best: Sequence[int]) -> Picture:
    """One point per trial in the plane of two metrics; those of the front are joined and numbered.

    Args:
        x, y: n, the metrics as they are; NaN where a trial has none.
        names: of the metrics on x and on y.
        numbers: n, the trials' numbers.
        best: indices, from 0 to n - 1, of the trials on the front.
    """
    front = sorted((index for index in best if np.isfinite(x[index])), key=lambda index: x[index])
    with Panel(4.4, 3.2) as panel:
        panel.axes.plot(x, y, "o", color=MUTED, markersize=4)
        panel.axes.plot(x[front], y[front], "o-", color=ORANGE, linewidth=1, markersize=6)
        for index in front:
            panel.axes.annotate(
                str(numbers[index]), (x[index], y[index]), (4, 4), textcoords="offset points", color=INK
            )
        panel.axes.set(xlabel=names[0], ylabel=names[1])
        return panel.picture(
            f"{names[1]} over {names[0]}, one point per trial; the front is trials "
            f"{', '.join(str(numbers[index]) for index in front)}"
        )


def history_figure(numbers: Sequence[int], score: Values, scored: str) -> Picture:
    """The score of each trial over their numbers, which ascend, and the best up to it."""
    with Panel(4.4, 2.4) as panel:
        panel.axes.plot(numbers, score, "o", color=BLUE, markersize=4)
        panel.axes.step(numbers, np.fmax.accumulate(score), where="post", color=ORANGE)
        panel.axes.set(xlabel="trial", ylabel=scored)
        return panel.picture(f"{scored} of {len(score)} trials, and the best so far")


def _grade(index: int, score: Values, best: Sequence[int]) -> str:
    if index in best:
        return GRADES[2]
    return GRADES[1] if score[index] >= np.nanmedian(score) else GRADES[0]


def _name_columns(axes: Axes, columns: Sequence[SettingAxis]) -> None:
    axes.set_xticks(range(len(columns)), [_folded(column.name) for column in columns])
    axes.set_yticks([])
    axes.set(xlim=(-0.25, len(columns) - 0.75), ylim=(-0.12, 1.12))
    axes.spines["left"].set_visible(False)
    for place, column in enumerate(columns):
        axes.axvline(place, color=LINE, linewidth=0.8, zorder=0)
        low, high = column.end_labels()
        axes.text(place, -0.06, low, ha="center", va="top", color=MUTED, fontsize=7)
        axes.text(place, 1.04, high, ha="center", va="bottom", color=MUTED, fontsize=7)


def _folded(name: str) -> str:
    if len(name) <= NAME_LETTERS:
        return name
    parent, _, last = name.rpartition(".")
    return f"{parent}.\n{last}"
