"""ROC and precision-recall curves."""

from dataclasses import dataclass

import numpy as np

from distxml.evaluation.summary_rows import ClassCurve
from distxml.report.figure import LINE, DrawnFigure, Panel
from distxml.report.style import class_style, class_styles, legend, shortened

MAX_POINTS = 400
"""Points of a curve that are drawn; a longer one is thinned evenly."""
MAX_AREAS = 12
"""Areas that the caption spells out."""


@dataclass(frozen=True)
class _Frame:
    name: str
    title: str
    x: str
    y: str
    diagonal: bool
    area: str


ROC = _Frame("roc", "ROC", "false-positive rate", "true-positive rate", True, "area")
PRECISION_RECALL = _Frame("precision_recall", "Precision and recall", "recall", "precision", False, "average precision")


def roc_figure(curves: tuple[ClassCurve, ...]) -> DrawnFigure:
    """One line per class, and the diagonal of a guess."""
    return _class_curves(curves, ROC)


def precision_recall_figure(curves: tuple[ClassCurve, ...]) -> DrawnFigure:
    """One line per class."""
    return _class_curves(curves, PRECISION_RECALL)


def _class_curves(curves: tuple[ClassCurve, ...], frame: _Frame) -> DrawnFigure:
    with Panel(3.4, 3.0) as panel:
        if frame.diagonal:
            panel.axes.plot([0, 1], [0, 1], color=LINE, linewidth=1)
        for index, curve in enumerate(curves):
            kept = np.unique(np.linspace(0, len(curve.x) - 1, min(MAX_POINTS, len(curve.x))).astype(int))
            style = class_style(index)
            panel.axes.plot(np.array(curve.x)[kept], np.array(curve.y)[kept], color=style.color, linestyle=style.dash)
        panel.axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), xlabel=frame.x, ylabel=frame.y, aspect="equal")
        panel.axes.set_title(frame.title)
        entries = legend(class_styles(curve.class_name for curve in curves))
        return panel.finish(frame.name, frame.title, _caption(curves, frame), entries)


def _caption(curves: tuple[ClassCurve, ...], frame: _Frame) -> str:
    areas = [f"{shortened(curve.class_name, 60)}: {frame.area} {curve.area:.3f}" for curve in curves[:MAX_AREAS]]
    more = f"; and {len(curves) - MAX_AREAS} more" if len(curves) > MAX_AREAS else ""
    return f"{frame.title}. {'; '.join(areas)}{more}."
