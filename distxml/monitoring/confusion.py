"""The picture of a confusion matrix."""

from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from matplotlib.image import BboxImage
from matplotlib.transforms import Bbox, TransformedBbox
from numpy.typing import NDArray

from distxml.monitoring.phase_figures import Counts, ratio

Picture = NDArray[np.uint8]
Shares = NDArray[np.float64]

MAX_CLASSES_NAMED = 20
"""Up to so many classes the picture names them and says how many images a field holds."""
MAX_NAME = 16
"""Characters of a class's name that the picture shows."""
MAX_NUMBERED = 10
"""Of more classes, so many are numbered."""
COLORMAP = "Blues"
DOTS_PER_INCH = 110
FIELD, UNNAMED = 0.42, 5.6
"""Inches of a side: of a field, and of all fields together where there are too many to name."""
NAME, NUMBER = 1.5, 0.35
"""Inches for the names of the classes, or for their numbers."""
LABEL, SCALE = 0.3, 1.25
"""Inches for what rows and columns are, and for the scale on the right."""
SCALE_WIDTH = 0.15


@dataclass(frozen=True)
class _Sheet:
    """A figure in inches from its lower left corner.

    Without matplotlib's axes, which take five times as long: every phase of every run draws one.

    Attributes:
        margin: to the left of the fields and below them.
        side: of all fields together.
        norm: from a share to a colour.
    """

    figure: Figure
    margin: float
    side: float
    norm: PowerNorm

    def color(self, shares: Shares, left: float, width: float) -> None:
        """Rows of fields, the first on top."""
        inches = Bbox.from_bounds(left, self.margin, width, self.side)
        place = TransformedBbox(inches, self.figure.dpi_scale_trans)
        fields = BboxImage(place, cmap=COLORMAP, norm=self.norm, interpolation="nearest")
        fields.set_data(shares)
        self.figure.add_artist(fields)

    def write(self, x: float, y: float, words: str, **how: Any) -> None:
        """Centred there unless `how` says otherwise."""
        look: dict[str, Any] = {"ha": "center", "va": "center"} | how
        self.figure.text(x, y, words, transform=self.figure.dpi_scale_trans, **look)

    def middle(self, index: int, classes: int) -> float:
        """Of a class's column, from the left of the fields; of its row, from their top."""
        return self.side * (index + 0.5) / classes


def confusion_picture(confusion: Counts, classes: tuple[str, ...]) -> Picture:
    """A confusion matrix of C×C images as a picture, H×W×3 uint8 RGB.

    A field's colour is its share of the true class (of its row), on a scale from 0 to 1 that the picture shows. A class
    without images has a white row.
    """
    named = len(classes) <= MAX_CLASSES_NAMED
    margin, side = (NAME + LABEL, FIELD * len(classes)) if named else (NUMBER + LABEL, UNNAMED)
    shares = ratio(confusion, confusion.sum(1, keepdims=True))
    with mpl.rc_context({"text.parse_math": False, "font.size": 9}):
        figure = Figure((margin + side + SCALE, margin + side + LABEL), dpi=DOTS_PER_INCH)
        canvas = FigureCanvasAgg(figure)
        norm = PowerNorm(1 if named else 0.5, vmin=0, vmax=1)  # without numbers, rare confusions must be seen too
        sheet = _Sheet(figure, margin, side, norm)
        sheet.color(shares, margin, side)
        _draw_scale(sheet)
        _label(sheet, classes, named)
        if named:
            _write_counts(sheet, confusion, shares)
        canvas.draw()
        return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def _draw_scale(sheet: _Sheet) -> None:
    left, top = sheet.margin + sheet.side + 0.25, sheet.margin + sheet.side
    sheet.color(np.linspace(1, 0, 256)[:, None], left, SCALE_WIDTH)
    for tenths in (0, 5, 10):
        sheet.write(left + 0.22, sheet.margin + sheet.side * tenths / 10, f"{tenths / 10}", ha="left")
    sheet.write(left + 0.7, top + 0.1, "share of the true class", rotation=90, va="top")


def _label(sheet: _Sheet, classes: tuple[str, ...], named: bool) -> None:
    """What rows and columns are, and which class each is, or every so many."""
    left, top, count = sheet.margin, sheet.margin + sheet.side, len(classes)
    sheet.write(left + sheet.side / 2, LABEL / 2, "predicted class")
    sheet.write(LABEL / 2, sheet.margin + sheet.side / 2, "true class", rotation=90)
    slanted = {"rotation": 45, "rotation_mode": "anchor", "ha": "right"} if named else {}
    for index in range(0, count, 1 if named else -(-count // MAX_NUMBERED)):
        words, middle = _short_name(classes[index]) if named else str(index), sheet.middle(index, count)
        sheet.write(left - 0.06, top - middle, words, ha="right")
        sheet.write(left + middle, sheet.margin - 0.1, words, **slanted)


def _short_name(name: str) -> str:
    return name if len(name) <= MAX_NAME else f"{name[: MAX_NAME - 1]}…"


def _write_counts(sheet: _Sheet, confusion: Counts, shares: Shares) -> None:
    for (row, column), count in np.ndenumerate(confusion):
        color = "white" if shares[row, column] > 0.5 else "black"
        x = sheet.margin + sheet.middle(column, len(confusion))
        y = sheet.margin + sheet.side - sheet.middle(row, len(confusion))
        sheet.write(x, y, _short(int(count)), color=color, fontsize=7)


def _short(count: int) -> str:
    """At most five characters."""
    if count < 10_000:
        return str(count)
    return f"{count / 1000:.3g}k" if count < 999_500 else f"{count / 1e6:.3g}M"
