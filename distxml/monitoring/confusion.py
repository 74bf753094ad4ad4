"""The picture of a confusion matrix."""

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from distxml.monitoring.phase_figures import Counts, ratio

Picture = NDArray[np.uint8]

MAX_CLASSES_NAMED = 20
"""Up to so many classes the picture names them and says how many images a field holds."""
MAX_NAME = 16
"""Characters of a class's name that the picture shows."""
COLORMAP = "Blues"
DOTS_PER_INCH = 110


def confusion_picture(confusion: Counts, classes: tuple[str, ...]) -> Picture:
    """A confusion matrix of C×C images as a picture, H×W×3 uint8 RGB.

    A field's colour is its share of the true class (of its row), on a scale from 0 to 1 that the picture shows. A class
    without images has a white row.
    """
    named = len(classes) <= MAX_CLASSES_NAMED
    side = 2.4 + 0.42 * len(classes) if named else 8.0  # inches
    with mpl.rc_context({"text.parse_math": False, "font.size": 9}):
        figure = Figure((side + 0.6, side), dpi=DOTS_PER_INCH, layout="constrained")
        canvas = FigureCanvasAgg(figure)
        axes = figure.add_subplot()
        shares = ratio(confusion, confusion.sum(1, keepdims=True))
        scale = PowerNorm(1 if named else 0.5, vmin=0, vmax=1)  # without numbers, rare confusions must be seen too
        fields = axes.imshow(shares, cmap=COLORMAP, norm=scale, interpolation="nearest")
        figure.colorbar(fields, label="share of the true class", shrink=0.8)
        axes.set(xlabel="predicted class", ylabel="true class")
        if named:
            _name_classes(axes, classes)
            _write_counts(axes, confusion, shares)
        else:
            axes.xaxis.set_major_locator(MaxNLocator(10, integer=True))
            axes.yaxis.set_major_locator(MaxNLocator(10, integer=True))
        canvas.draw()
        return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def _name_classes(axes: Axes, classes: tuple[str, ...]) -> None:
    names = [name if len(name) <= MAX_NAME else f"{name[: MAX_NAME - 1]}…" for name in classes]
    axes.set_xticks(range(len(names)), names, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(names)), names)


def _write_counts(axes: Axes, confusion: Counts, shares: NDArray[np.float64]) -> None:
    for (row, column), count in np.ndenumerate(confusion):
        color = "white" if shares[row, column] > 0.5 else "black"
        axes.text(column, row, _short(int(count)), ha="center", va="center", color=color, fontsize=7)


def _short(count: int) -> str:
    """At most five characters."""
    if count < 10_000:
        return str(count)
    return f"{count / 1000:.3g}k" if count < 999_500 else f"{count / 1e6:.3g}M"
