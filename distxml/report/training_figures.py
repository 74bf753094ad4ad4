"""Training curves: one panel a quantity, the three phases side by side."""

from collections.abc import Callable
from itertools import groupby

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter

from distxml.report.figure import BLUE, GREEN, MUTED, ORANGE, PINK, Panel, Picture
from distxml.report.training_log import Epoch, Part, TrainingLog

QUANTITIES = {
    "total": "Total loss",
    "classification": "Classification loss",
    "explanation": "Explanation loss",
    "accuracy": "Accuracy",
    "sparsity": "Sparsity (mean heat)",
    "black": "Black pixels (share)",
    "white": "White pixels (share)",
    "difference": "Difference between images’ heatmaps",
    "contiguity": "Contiguity",
    "weak": "Heat outside the masks",
}
PART_LOOKS: tuple[tuple[Part, str, str], ...] = (("train", BLUE, "--"), ("val", ORANGE, "-"))
RATE_LOOKS = (("lr_classifier", GREEN, "-"), ("lr_explainer", PINK, "--"))
LEGEND = {
    "training": PART_LOOKS[0][1:],
    "validation": PART_LOOKS[1][1:],
    "classifier’s learning rate": RATE_LOOKS[0][1:],
    "explainer’s learning rate": RATE_LOOKS[1][1:],
}
"""Colour and dash of every line, by what it shows."""
SHARES = ("accuracy", "sparsity", "black", "white", "difference", "weak")
"""Quantities that lie in [0, 1]; drawn on that fixed scale."""
MARKED_UP_TO = 40
"""Epochs up to which every point is marked, so that a phase of one epoch is seen."""


def training_figures(log: TrainingLog) -> list[Picture]:
    """A panel for every quantity that was logged, then the learning rates."""
    logged = [name for name in QUANTITIES if _is_logged(log, name)]
    return [_quantity(log, name) for name in logged] + [_learning_rates(log)]


def _is_logged(log: TrainingLog, name: str) -> bool:
    return any(np.isfinite(epoch.value(part, name)) for epoch in log.epochs for part in ("train", "val"))


def _quantity(log: TrainingLog, name: str) -> Picture:
    with Panel() as panel:
        for part, color, dash in PART_LOOKS:
            _by_phase(panel.axes, log.epochs, lambda epoch, part=part: epoch.value(part, name), color, dash)
        panel.axes.set_title(QUANTITIES[name])
        panel.axes.set_ylim(*(-0.03, 1.03) if name in SHARES else _from_zero(panel.axes))
        _frame(panel.axes, log)
        return panel.picture(f"{QUANTITIES[name]} over the epochs. {_in_words(log, name)}")


def _from_zero(axes: Axes) -> tuple[float, float]:
    """A scale that holds 0 and leaves room above."""
    low, high = axes.dataLim.intervaly
    return min(0, low), high + 0.06 * (high - min(0, low)) or 1


def _learning_rates(log: TrainingLog) -> Picture:
    with Panel() as panel:
        panel.axes.set_yscale("log")
        panel.axes.yaxis.set_major_formatter(FuncFormatter(lambda rate, _: f"{rate:g}"))
        panel.axes.yaxis.set_minor_formatter(NullFormatter())
        for name, color, dash in RATE_LOOKS:
            _by_phase(panel.axes, log.epochs, lambda epoch, name=name: getattr(epoch, name) or np.nan, color, dash)
        panel.axes.set_title("Learning rates")
        _frame(panel.axes, log)
        return panel.picture("Learning rates of the classifier and of the explainer over the epochs, logarithmic.")


def _by_phase(axes: Axes, epochs: list[Epoch], value: Callable[[Epoch], float], color: str, dash: str) -> None:
    """A line that breaks between phases: their losses have different weights."""
    marker = "o" if len(epochs) <= MARKED_UP_TO else None
    for _, phase in groupby(epochs, key=lambda epoch: epoch.phase):
        points = [(epoch.overall, value(epoch)) for epoch in phase]
        axes.plot(*zip(*points, strict=True), color=color, linestyle=dash, marker=marker, markersize=2.2)


def _frame(axes: Axes, log: TrainingLog) -> None:
    axes.set_xlabel("epoch")
    axes.set_xlim(log.epochs[0].overall - 0.5, log.epochs[-1].overall + 0.5)
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    for end in log.ends:
        axes.axvline(end.overall + 0.5, color=MUTED, linewidth=0.8)
        axes.annotate(
            f"phase {end.phase} ends",
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
    first, last = log.epochs[0], log.epochs[-1]
    parts: tuple[tuple[Part, str], ...] = (("train", "Training"), ("val", "Validation"))
    return " ".join(f"{word}: {first.value(p, name):.3g} first, {last.value(p, name):.3g} last." for p, word in parts)
