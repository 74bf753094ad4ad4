"""`PhaseFigures`: how well each class is told from the others at the end of a phase, and its picture."""

from dataclasses import dataclass

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

Counts = NDArray[np.int64]
Picture = NDArray[np.uint8]

MAX_CLASSES_NAMED = 20
"""Up to so many classes the picture names them and says how many images a field holds."""
MAX_NAME = 16
"""Characters of a class's name that the picture shows."""
COLORMAP = "Blues"
DOTS_PER_INCH = 110


@dataclass(frozen=True)
class PhaseFigures:
    """Counts over a split, each image once.

    Attributes:
        classes: C names.
        confusion: C×C images by true class (row) and predicted class (column).
        true_positives, false_positives, true_negatives, false_negatives: C×T images; class c against the rest, where
            an image is taken for c if its probability is at least the threshold.
            T thresholds lie evenly from 0 to 1.
    """

    classes: tuple[str, ...]
    confusion: Counts
    true_positives: Counts
    false_positives: Counts
    true_negatives: Counts
    false_negatives: Counts

    def accuracy(self) -> float:
        """Share of the images that are classified correctly; there must be one at least."""
        return float(self.confusion.trace() / self.confusion.sum())

    def majority_baseline(self) -> float:
        """The accuracy of always predicting the most common class; there must be an image at least."""
        return float(self.confusion.sum(1).max() / self.confusion.sum())

    def precision(self) -> NDArray[np.float64]:
        """C×T: share of the images taken for c that are of it; 0 where none is taken for c, as TensorBoard has it."""
        return _ratio(self.true_positives, self.true_positives + self.false_positives)

    def recall(self) -> NDArray[np.float64]:
        """C×T: share of c's images that are taken for c; 0 where the split has none."""
        return _ratio(self.true_positives, self.true_positives + self.false_negatives)


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
        shares = _ratio(confusion, confusion.sum(1, keepdims=True))
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


def _ratio(part: Counts, whole: Counts) -> NDArray[np.float64]:
    return np.divide(part, whole, out=np.zeros(np.broadcast_shapes(part.shape, whole.shape)), where=whole > 0)
