"""ROC and precision-recall curves, and the MoRF curves of every patch size and fill."""

from dataclasses import dataclass

import numpy as np
import pyarrow.compute as pc
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from distxml.evaluation.intervals import Bootstrap
from distxml.evaluation.results import ClassCurve, Results
from distxml.report.figure import BLUE, DASHES, LINE, MUTED, ORANGE, PINK, SERIES, Panel, Picture

METHOD_NAMES = {"in_model": "in-model", "random": "random order", "saliency": "gradient saliency"}
METHOD_LOOKS = {"in_model": (BLUE, "-"), "random": (MUTED, ":"), "saliency": (ORANGE, "--")}
MOST_POINTS = 400
"""Points of a ROC or precision-recall curve that are drawn; a longer one is thinned evenly."""


@dataclass(frozen=True)
class MorfPanel:
    """The MoRF curves of one patch size and fill."""

    patch_size: int
    fill: str
    picture: Picture


@dataclass(frozen=True)
class Band:
    """A mean curve and its pointwise 95% interval; each L+1."""

    mean: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


def method_name(method: str) -> str:
    """What the report calls a method."""
    return METHOD_NAMES.get(method, method.replace("_", " "))


def method_look(method: str) -> tuple[str, str]:
    """Colour and dash of a method's lines."""
    return METHOD_LOOKS.get(method, (PINK, "-."))


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
    with Panel(3.4, 3.0) as panel:
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
    with Panel(2.5, 2.0) as panel:
        for method, band in mean_curves(results, patch_size, fill).items():
            color, dash = method_look(method)
            steps = np.arange(len(band.mean))
            panel.axes.fill_between(steps, band.low, band.high, color=color, alpha=0.18, linewidth=0)
            panel.axes.plot(steps, band.mean, color=color, linestyle=dash)
        panel.axes.set_title(f"{fill}, {patch_size} px")
        panel.axes.set(xlabel="patches replaced", ylim=(-0.03, 1.03))
        panel.axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
        return panel.picture(_morf_in_words(results, patch_size, fill))


def mean_curves(results: Results, patch_size: int, fill: str) -> dict[str, Band]:
    """Mean of f(x(0)) ... f(x(L)) over the images, and the bootstrap's interval at each step, by method."""
    chosen = (pc.field("patch_size") == patch_size) & (pc.field("fill") == fill)
    curves = results.curves.filter(chosen)
    bands = {}
    for method in dict.fromkeys(curves["method"].to_pylist()):
        f = np.stack(curves.filter(pc.field("method") == method)["f"].to_numpy())  # images × (L+1)
        bootstrap = Bootstrap(len(f), results.summary.settings.bootstrap, results.summary.seed)
        low, high = bootstrap.ratios(f, np.ones_like(f))
        bands[method] = Band(f.mean(0), low, high)
    return bands


def _morf_in_words(results: Results, patch_size: int, fill: str) -> str:
    rows = [row for row in results.summary.aopc if (row.patch_size, row.fill) == (patch_size, fill)]
    areas = ", ".join(f"{method_name(row.method)} {row.aopc:.3f}" for row in rows)
    return f"Mean probability while patches of {patch_size} pixels turn {fill}, most relevant first. AOPC: {areas}."
