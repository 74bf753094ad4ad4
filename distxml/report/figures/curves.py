"""The paper's grid: patch sizes × fills, one line per method, f or AOPC against the patches replaced."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from distxml.config.evaluation import Fill, Method, Order
from distxml.evaluation.perturbation.curves import aopc_by_steps
from distxml.evaluation.statistics.groups import Groups
from distxml.evaluation.statistics.intervals import means as mean_intervals
from distxml.evaluation.summary import Summary
from distxml.report.figure import MUTED, DrawnFigure, Panel
from distxml.report.style import ORDER_NAMES, ORDER_WORDS, legend, method_name, method_style, method_styles
from distxml.report.wording import size as size_in_words

MAX_POINTS = 150
"""Points of a curve that are drawn; a longer one is thinned evenly."""

REFERENCES: tuple[Method, ...] = ("in_model", "random")
"""Methods that have a band where all of them would hide each other."""

MAX_BANDS = 4

PANEL_WIDTH, PANEL_HEIGHT = 2.1, 1.75

MARGIN_WIDTH, MARGIN_HEIGHT = 0.7, 0.5

MARGIN = 0.03
"""Of the scale, beyond its ends."""

Values = NDArray[np.float64]

Steps = NDArray[np.int64]


@dataclass(frozen=True)
class Setting:
    """A panel: side of the patches in pixels, and what replaces them."""

    patch_size: int
    fill: Fill


@dataclass(frozen=True)
class Curves:
    """The curves of one method at one setting: images×(L+1), in the table's order; group: of each image."""

    method: Method
    setting: Setting
    order: Order
    f: Values
    group: Sequence[str | None]


@dataclass(frozen=True)
class MeanCurve:
    """The mean over the images at K of the steps, and the interval there (NaN: unknown); no band: its ends are None."""

    steps: Steps
    mean: Values
    low: Values | None
    high: Values | None


def curve_sets(table: pa.Table) -> list[Curves]:
    """A table of `CURVES_SCHEMA`, by method, setting and order; in the order of its first rows."""
    f = table["f"].combine_chunks()
    values, offsets, group = f.values.to_numpy(), f.offsets.to_numpy(), table["group"]
    names = table.select(["method", "patch_size", "order", "fill"]).to_pandas()
    sets = []
    for (method, patch_size, order, fill), rows in names.groupby(list(names.columns), sort=False).indices.items():
        length = offsets[rows[0] + 1] - offsets[rows[0]]
        curves = values[offsets[rows][:, None] + np.arange(length)]  # images×(L+1)
        sets.append(Curves(method, Setting(int(patch_size), fill), order, curves, group.take(rows).to_pylist()))
    return sets


def of_order(sets: Sequence[Curves], order: Order) -> list[Curves]:
    """Those of an order; a random order of patches has no direction and is among both."""
    return [curves for curves in sets if curves.order == order or curves.method == "random"]


def banded(methods: Sequence[Method]) -> set[Method]:
    """Methods whose interval is drawn: all while they can be told apart, else the references."""
    return set(methods) if len(methods) <= MAX_BANDS else set(methods) & set(REFERENCES)


def mean_curves(
    sets: Sequence[Curves], statistic: Callable[[Values], Values]
) -> Mapping[Setting, Mapping[Method, MeanCurve]]:
    """The mean of a statistic over the images, by setting and method.

    Args:
        sets: of one order; at least one.
        statistic: of each image's curve, images×(L+1) to the same shape.
    """
    with_band = banded([curves.method for curves in sets if curves.setting == sets[0].setting])
    thinned = [_thinned(curves, statistic) for curves in sets]
    wide = [values for curves, (_, values) in zip(sets, thinned, strict=True) if curves.method in with_band]
    ends = iter(_intervals(wide, Groups.of(sets[0].group)))
    means: dict[Setting, dict[Method, MeanCurve]] = {}
    for curves, (steps, values) in zip(sets, thinned, strict=True):
        low, high = next(ends) if curves.method in with_band else (None, None)
        means.setdefault(curves.setting, {})[curves.method] = MeanCurve(steps, values.mean(0), low, high)
    return means


def _thinned(curves: Curves, statistic: Callable[[Values], Values]) -> tuple[Steps, Values]:
    last = curves.f.shape[1] - 1
    steps = np.unique(np.linspace(0, last, min(MAX_POINTS, last + 1)).astype(np.int64))
    return steps, statistic(curves.f)[:, steps]


def _intervals(columns: Sequence[Values], groups: Groups) -> list[Values]:
    """Of each images×K its 2×K interval of the mean."""
    if not columns:
        return []
    together = np.concatenate(columns, axis=1)
    found = mean_intervals(together, groups)
    return np.split(np.stack([found.low, found.high]), np.cumsum([values.shape[1] for values in columns])[:-1], axis=1)


Means = Mapping[Setting, Mapping[Method, MeanCurve]]


@dataclass(frozen=True)
class _Words:
    """What a grid says of itself: name of its files, title, what is on y, what it shows and how to read it."""

    name: str
    title: str
    y: str
    shows: str


def perturbation_grid(summary: Summary, sets: Sequence[Curves], order: Order) -> DrawnFigure:
    """Mean f against the patches replaced; `sets` is the whole table of curves."""
    means = mean_curves(of_order(sets, order), lambda f: f)
    output = summary.settings.output
    words = _Words(
        name=f"{order}_{output}",
        title=f"{ORDER_NAMES[order]} curves: mean {output} while patches are replaced, {ORDER_WORDS[order]}",
        y=f"mean {output} of the explained class",
        shows=f"Mean {output} of the explained class against the number of patches replaced, {ORDER_WORDS[order]}.",
    )
    limits = (-MARGIN, 1 + MARGIN) if output == "probability" else _limits(means)
    return _grid(summary, means, words, limits)


def aopc_grid(summary: Summary, sets: Sequence[Curves], order: Order) -> DrawnFigure:
    """AOPC(L) against L; `sets` is the whole table of curves."""
    means = mean_curves(of_order(sets, order), aopc_by_steps)
    first = order == summary.settings.orders[0]
    words = _Words(
        name="aopc_by_steps" if first else f"aopc_by_steps_{order}",
        title=f"AOPC, {ORDER_NAMES[order]}, had it stopped after L patches",
        y="AOPC(L)",
        shows=f"AOPC(L) against L, {ORDER_WORDS[order]}: the area over the curve had it stopped after L patches.",
    )
    return _grid(summary, means, words, _limits(means, 0))


def _limits(means: Means, *also: float) -> tuple[float, float]:
    """A scale for all panels that holds every line and band, and the values of `also`."""
    lines = [curve for by_method in means.values() for curve in by_method.values()]
    drawn = [part for line in lines for part in (line.mean, line.low, line.high) if part is not None]
    values = np.concatenate([*drawn, also])
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    room = MARGIN * (high - low) or MARGIN
    return low - room, high + room


def _grid(summary: Summary, means: Means, words: _Words, limits: tuple[float, float]) -> DrawnFigure:
    sizes = list(dict.fromkeys(setting.patch_size for setting in means))
    fills: list[Fill] = list(dict.fromkeys(setting.fill for setting in means))
    methods: list[Method] = list(dict.fromkeys(method for by_method in means.values() for method in by_method))
    width = MARGIN_WIDTH + PANEL_WIDTH * len(fills)
    height = MARGIN_HEIGHT + PANEL_HEIGHT * len(sizes)
    with Panel(width, height, len(sizes), len(fills)) as panel:
        for row, size in enumerate(sizes):
            for column, fill in enumerate(fills):
                draw_setting(panel.grid[row, column], means[Setting(size, fill)])
            panel.grid[row, 0].set_ylabel(f"patches of {size} px")
        for column, fill in enumerate(fills):
            panel.grid[0, column].set_title(fill)
            panel.grid[-1, column].set_xlabel("patches replaced")
        panel.axes.set_ylim(*limits)
        panel.figure.supylabel(words.y, fontsize=8, color=MUTED)
        entries = legend(method_styles(methods))
        return panel.finish(words.name, words.title, _caption(summary, words, methods), entries)


def draw_setting(axes: Axes, by_method: Mapping[Method, MeanCurve]) -> None:
    """One line per method, the in-model one on top of the others, and the bands that there are."""
    for method in sorted(by_method, key=lambda method: method == "in_model"):
        curve, style = by_method[method], method_style(method)
        if curve.low is not None and curve.high is not None:
            axes.fill_between(curve.steps, curve.low, curve.high, color=style.color, alpha=0.18, linewidth=0)
        axes.plot(curve.steps, curve.mean, color=style.color, linestyle=style.dash, linewidth=style.width)
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))


def _caption(summary: Summary, words: _Words, methods: Sequence[Method]) -> str:
    return (
        f"{words.shows} Rows: side of the patches; columns: what replaces them. Means over "
        f"{size_in_words(summary.curve_images, summary.curve_groups)}. {band_in_words(methods)}"
    )


def band_in_words(methods: Sequence[Method]) -> str:
    """Whose interval is drawn."""
    shown = banded(methods)
    band = "95% interval of the mean at each step"
    if len(shown) == len(methods):
        return f"Band: {band}."
    if not shown:
        return "No bands: they would hide each other; the table has intervals."
    names = " and ".join(method_name(method) for method in methods if method in shown)
    return f"Band: {band}, of {names} alone; the others would hide each other, and the table has their intervals."
