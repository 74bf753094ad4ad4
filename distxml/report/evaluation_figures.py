"""ROC and precision-recall curves, and the MoRF curves of every patch size and fill."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from distxml.evaluation.results import ClassCurve, Results
from distxml.report.figure import BLUE, DASHES, INK, LINE, MUTED, ORANGE, SERIES, Panel, Picture

METHOD_NAMES = {"in_model": "in-model", "random": "random order", "saliency": "gradient saliency"}
METHOD_LOOKS = {"in_model": (BLUE, "-"), "random": (MUTED, ":"), "saliency": (ORANGE, "--")}
STANDARD_NORMAL_975 = 1.959964
MOST_POINTS = 400
"""Points of a ROC or precision-recall curve that are drawn; a longer one is thinned evenly."""


@dataclass(frozen=True)
class MorfPanel:
    """The MoRF curves of one patch size and fill."""

    patch_size: int
    fill: str
    picture: Picture


def roc_figure(curves: tuple[ClassCurve, ...]) -> Picture:
    """One line a class, and the diagonal of a guess."""
    return _class_curves(curves, "ROC", ("false-positive rate", "true-positive rate"), diagonal=True)


def precision_recall_figure(curves: tuple[ClassCurve, ...]) -> Picture:
    """One line a class."""
    return _class_curves(curves, "Precision and recall", ("recall", "precision"), diagonal=False)


def class_look(index: int) -> tuple[str, str]:
    """Colour and dash of the i-th class; together they repeat after 12 classes."""
    return SERIES[index % len(SERIES)], DASHES[index // len(SERIES) % len(DASHES)]


def _class_curves(curves: tuple[ClassCurve, ...], title: str, labels: tuple[str, str], diagonal: bool) -> Picture:
    with Panel(3.4, 3.1) as panel:
        if diagonal:
            panel.axes.plot([0, 1], [0, 1], color=LINE, linewidth=1)
        for index, curve in enumerate(curves):
            kept = np.unique(np.linspace(0, len(curve.x) - 1, min(MOST_POINTS, len(curve.x))).astype(int))
            color, dash = class_look(index)
            panel.axes.plot(np.array(curve.x)[kept], np.array(curve.y)[kept], color=color, linestyle=dash)
        panel.axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), xlabel=labels[0], ylabel=labels[1], aspect="equal")
        panel.axes.set_title(title)
        areas = "; ".join(f"{curve.class_name}: area {curve.area:.3f}" for curve in curves)
        return panel.picture(f"{title}. {areas}.")


def morf_panels(results: Results) -> list[MorfPanel]:
    """A panel for each patch size and fill, in the order of the summary's table."""
    settings = dict.fromkeys((row.patch_size, row.fill) for row in results.summary.aopc)
    return [MorfPanel(patch, fill, _morf(results, patch, fill)) for patch, fill in settings]


def _morf(results: Results, patch_size: int, fill: str) -> Picture:
    methods = dict.fromkeys(row.method for row in results.summary.aopc)
    with Panel(2.5, 2.0) as panel:
        for method in methods:
            color, dash = METHOD_LOOKS[method]
            mean, half_width = mean_curve(results.curves, method, patch_size, fill)
            steps = np.arange(len(mean))
            panel.axes.fill_between(steps, mean - half_width, mean + half_width, color=color, alpha=0.18, linewidth=0)
            panel.axes.plot(steps, mean, color=color, linestyle=dash)
        panel.axes.set_title(f"{fill}, {patch_size} px")
        panel.axes.set(xlabel="patches replaced", ylim=(-0.03, 1.03))
        panel.axes.xaxis.get_major_locator().set_params(integer=True)
        return panel.picture(_morf_in_words(results, patch_size, fill))


def mean_curve(curves: pa.Table, method: str, patch_size: int, fill: str) -> tuple[NDArray, NDArray]:
    """Mean over the images of f(x(0)) ... f(x(L)), and half the width of its 95% interval (normal); both L+1."""
    chosen = (
        (pc.field("method") == method) & (pc.field("patch_size") == patch_size) & (pc.field("fill") == fill)
    )
    f = np.stack(curves.filter(chosen)["f"].to_numpy())  # images × (L+1)
    if len(f) == 1:
        return f[0], np.zeros_like(f[0])
    return f.mean(0), STANDARD_NORMAL_975 * f.std(0, ddof=1) / np.sqrt(len(f))


def _morf_in_words(results: Results, patch_size: int, fill: str) -> str:
    rows = [row for row in results.summary.aopc if (row.patch_size, row.fill) == (patch_size, fill)]
    areas = ", ".join(f"{METHOD_NAMES[row.method]} {row.aopc:.3f}" for row in rows)
    return f"Mean probability while patches of {patch_size} pixels turn {fill}, most relevant first. AOPC: {areas}."
