"""Training curves: one panel a quantity, the three phases side by side."""

from collections.abc import Callable, Mapping
from itertools import groupby
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter

from distxml.metrics.lookup import metric_entry
from distxml.report.figure import BLUE, GREEN, MUTED, ORANGE, PINK, DrawnFigure, Panel
from distxml.report.style import LineStyle, legend
from distxml.report.training_log import Epoch, Part, TrainingLog

QUANTITIES = (
    "total",
    "classification",
    "explanation",
    "accuracy",
    "sparsity",
    "black",
    "white",
    "difference",
    "contiguity",
    "weak",
    "flips_above_random",
    "aopc",
    "pompom",
)
"""Metrics, in the order of the panels; those that were not logged have none."""
PARTS: dict[Part, str] = {"train": "training", "val": "validation"}
RATES = {"lr_classifier": "classifier’s learning rate", "lr_explainer": "explainer’s learning rate"}
LEGEND = {
    "training": LineStyle(BLUE, "--"),
    "validation": LineStyle(ORANGE, "-"),
    "classifier’s learning rate": LineStyle(GREEN, "-"),
    "explainer’s learning rate": LineStyle(PINK, "--"),
}
"""Every line, by what it shows."""
MARKED_UP_TO = 40
"""Epochs up to which every point is marked, so that a phase of one epoch is seen."""


def training_figures(log: TrainingLog) -> list[DrawnFigure]:
    """A panel for every quantity that was logged, then the learning rates."""
    logged = [name for name in QUANTITIES if _is_logged(log, name)]
    return [_quantity(log, name) for name in logged] + [_learning_rates(log)]


def _is_logged(log: TrainingLog, name: str) -> bool:
    return any(np.isfinite(epoch.value(part, name)) for epoch in log.epochs for part in ("train", "val"))


def _quantity(log: TrainingLog, name: str) -> DrawnFigure:
    title = _title(name)
    with Panel() as panel:
        for part, label in PARTS.items():
            _by_phase(panel.axes, log.epochs, lambda epoch, part=part: epoch.value(part, name), LEGEND[label])
        panel.axes.set_title(title)
        panel.axes.set_ylim(*(-0.03, 1.03) if metric_entry(name).is_between_0_and_1 else _from_zero(panel.axes))
        _frame(panel.axes, log)
        caption = f"{title} over the epochs. {_in_words(log, name)}"
        return panel.finish(f"training_{name}", title, caption, _legend(PARTS))


def _title(name: str) -> str:
    entry = metric_entry(name)
    return entry.title if "training" in entry.computed_by else f"{entry.title} of a few images"


def _from_zero(axes: Axes) -> tuple[float, float]:
    """A scale that holds 0 and leaves room above."""
    low, high = axes.dataLim.intervaly
    bottom, top = min(0, low), max(0, high)
    return bottom, top + 0.06 * (top - bottom) or 1


def _learning_rates(log: TrainingLog) -> DrawnFigure:
    with Panel() as panel:
        panel.axes.set_yscale("log")
        panel.axes.yaxis.set_major_formatter(FuncFormatter(lambda rate, _: f"{rate:g}"))
        panel.axes.yaxis.set_minor_formatter(NullFormatter())
        for name, label in RATES.items():
            _by_phase(panel.axes, log.epochs, lambda epoch, name=name: getattr(epoch, name) or np.nan, LEGEND[label])
        panel.axes.set_title("Learning rates")
        _frame(panel.axes, log)
        caption = "Learning rates of the classifier and of the explainer over the epochs, logarithmic."
        return panel.finish("training_learning_rates", "Learning rates", caption, _legend(RATES))


def _legend(names: Mapping[Any, str]) -> list[Line2D]:
    return legend({label: LEGEND[label] for label in names.values()})


def _by_phase(axes: Axes, epochs: list[Epoch], value: Callable[[Epoch], float], style: LineStyle) -> None:
    """A line that breaks between phases: their losses have different weights."""
    marker = "o" if len(epochs) <= MARKED_UP_TO else None
    for _, phase in groupby(epochs, key=lambda epoch: epoch.phase):
        points = [(epoch.overall, value(epoch)) for epoch in phase]
        axes.plot(*zip(*points, strict=True), color=style.color, linestyle=style.dash, marker=marker, markersize=2.2)


def _frame(axes: Axes, log: TrainingLog) -> None:
    axes.set_xlabel("epoch")
    axes.set_xlim(log.epochs[0].overall - 0.5, log.epochs[-1].overall + 0.5)
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    for end in log.ends:
        axes.axvline(end.overall + 0.5, color=MUTED, linewidth=0.8)
        axes.annotate(
            f"{end.phase} phase ends",
            (end.overall + 0.5, 0.98),
            xycoords=("data", "axes fraction"),
            xytext=(-2, 0),
            textcoords="offset points",
            rotation=90,
            fontsize=6,
            color=MUTED,
            zorder=1,  # behind the lines: words never hide data; the page says above why a phase ended
            ha="right",
            va="top",
        )


def _in_words(log: TrainingLog, name: str) -> str:
    logged = [(label, _logged(log, part, name)) for part, label in PARTS.items()]
    ends = [(label, values[0], values[-1]) for label, values in logged if values]
    return " ".join(f"{label.capitalize()}: {start:.3g} first, {end:.3g} last." for label, start, end in ends)


def _logged(log: TrainingLog, part: Part, name: str) -> list[float]:
    return [value for value in (epoch.value(part, name) for epoch in log.epochs) if np.isfinite(value)]
