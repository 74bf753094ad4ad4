"""The paper's grid: patch sizes × fills, one line per method, f or AOPC against how much of the image is replaced."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from distxml.config.evaluation import Fill, Method, Order
from distxml.evaluation.perturbation.areas import aopc_by_steps
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


@dataclass(frozen=True)
class Setting:
    """A panel: side of the patches in pixels, and what replaces them."""

    patch_size: int
    fill: Fill


@dataclass(frozen=True)
class Curves:
    """The curves of one method at one setting, images×(L+1) in the table's order, and the group of each image.

    Attributes:
        f: at each point.
        share: of the image that is replaced there.
        aopc: had the curve stopped there.
    """

    method: Method
    setting: Setting
    order: Order
    f: Values
    share: Values
    aopc: Values
    group: Sequence[str | None]


@dataclass(frozen=True)
class MeanCurve:
    """The mean over the images at K of the points, and the interval there (NaN: unknown); no band: its ends are None.

    `x`: how much is replaced, a share of the image or a number of patches.
    """

    x: Values
    mean: Values
    low: Values | None
    high: Values | None


def curve_sets(table: pa.Table, share_limit: float | None) -> list[Curves]:
    """A table of `CURVES_SCHEMA`, by method, setting and order; in the order of its first rows.

    Args:
        table: of the evaluation.
        share_limit: what its curves run over; see `aopc_by_steps`.
    """
    columns, group = [table[name].combine_chunks() for name in ("f", "share")], table["group"]
    offsets = columns[0].offsets.to_numpy()
    names = table.select(["method", "patch_size", "order", "fill"]).to_pandas()
    sets = []
    for (method, patch_size, order, fill), rows in names.groupby(list(names.columns), sort=False).indices.items():
        length = offsets[rows[0] + 1] - offsets[rows[0]]
        places = offsets[rows][:, None] + np.arange(length)  # images×(L+1)
        f, share = (column.values.to_numpy()[places] for column in columns)
        aopc = aopc_by_steps(f, share, share_limit)
        setting = Setting(int(patch_size), fill)
        sets.append(Curves(method, setting, order, f, share, aopc, group.take(rows).to_pylist()))
    return sets


def of_order(sets: Sequence[Curves], order: Order) -> list[Curves]:
    """Those of an order; a random order of patches has no direction and is among both."""
    return [curves for curves in sets if curves.order == order or curves.method == "random"]


def banded(methods: Sequence[Method]) -> set[Method]:
    """Methods whose interval is drawn: all while they can be told apart, else the references."""
    return set(methods) if len(methods) <= MAX_BANDS else set(methods) & set(REFERENCES)


def mean_curves(
    sets: Sequence[Curves], statistic: Callable[[Curves], Values], over_share: bool
) -> Mapping[Setting, Mapping[Method, MeanCurve]]:
    """The mean of a statistic over the images, by setting and method.

    Args:
        sets: of one order; at least one.
        statistic: what of the curves, images×(L+1).
        over_share: whether they are drawn over the share of the image, or else over the number of patches.
    """
    with_band = banded([curves.method for curves in sets if curves.setting == sets[0].setting])
    thinned = [_thinned(curves.f.shape[1] - 1) for curves in sets]
    drawn = [statistic(curves)[:, points] for curves, points in zip(sets, thinned, strict=True)]
    wide = [values for curves, values in zip(sets, drawn, strict=True) if curves.method in with_band]
    ends = iter(_intervals(wide, Groups.of(sets[0].group)))
    means: dict[Setting, dict[Method, MeanCurve]] = {}
    for curves, points, values in zip(sets, thinned, drawn, strict=True):
        low, high = next(ends) if curves.method in with_band else (None, None)
        x = curves.share.mean(0)[points] if over_share else points.astype(np.float64)
        means.setdefault(curves.setting, {})[curves.method] = MeanCurve(x, values.mean(0), low, high)
    return means


def _thinned(last: int) -> NDArray[np.int64]:
    """Points from 0 to the last that are drawn."""
    return np.unique(np.linspace(0, last, min(MAX_POINTS, last + 1)).astype(np.int64))


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
    """Mean f against how much is replaced; `sets` is the whole table of curves."""
    means = mean_curves(of_order(sets, order), lambda curves: curves.f, _over_share(summary))
    output = summary.settings.output
    words = _Words(
        name=f"{order}_{output}",
        title=f"{ORDER_NAMES[order]} curves: mean {output} while patches are replaced, {ORDER_WORDS[order]}",
        y=f"mean {output} of the explained class",
        shows=f"Mean {output} of the explained class against the {_replaced(summary)}, {ORDER_WORDS[order]}.",
    )
    limits = (-MARGIN, 1 + MARGIN) if output == "probability" else _limits(means)
    return _grid(summary, means, words, limits)


def aopc_grid(summary: Summary, sets: Sequence[Curves], order: Order) -> DrawnFigure:
    """AOPC had it stopped before the end; `sets` is the whole table of curves."""
    means = mean_curves(of_order(sets, order), lambda curves: curves.aopc, _over_share(summary))
    first = order == summary.settings.orders[0]
    words = _Words(
        name="aopc_by_steps" if first else f"aopc_by_steps_{order}",
        title=f"AOPC, {ORDER_NAMES[order]}, had it stopped earlier",
        y="AOPC",
        shows=f"AOPC had it stopped at that {_replaced(summary)}, {ORDER_WORDS[order]}.",
    )
    return _grid(summary, means, words, _limits(means, 0))


def _over_share(summary: Summary) -> bool:
    return summary.settings.share_limit is not None


def _replaced(summary: Summary) -> str:
    return "share of the image replaced" if _over_share(summary) else "number of patches replaced"


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
            panel.grid[-1, column].set_xlabel("share replaced" if _over_share(summary) else "patches replaced")
        panel.axes.set_ylim(*limits)
        panel.figure.supylabel(words.y, fontsize=8, color=MUTED)
        entries = legend(method_styles(methods))
        return panel.finish(words.name, words.title, _caption(summary, words, methods), entries)


def draw_setting(axes: Axes, by_method: Mapping[Method, MeanCurve]) -> None:
    """One line per method, the in-model one on top of the others, and the bands that there are."""
    for method in sorted(by_method, key=lambda method: method == "in_model"):
        curve, style = by_method[method], method_style(method)
        if curve.low is not None and curve.high is not None:
            axes.fill_between(curve.x, curve.low, curve.high, color=style.color, alpha=0.18, linewidth=0)
        axes.plot(curve.x, curve.mean, color=style.color, linestyle=style.dash, linewidth=style.width)
    axes.xaxis.set_major_locator(MaxNLocator(4))  # shares, or whole numbers where there are enough of them


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
