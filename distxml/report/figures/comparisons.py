"""Dots with their 95% intervals: AOPC of every method over all settings, and the differences between methods."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from distxml.config.evaluation import Method, Order
from distxml.evaluation.summary import Summary
from distxml.evaluation.summary_rows import AopcOverall, Comparison
from distxml.metrics.lookup import AOPC_IN_WORDS, BETTER_AOPC
from distxml.report.figure import BLUE, INK, MUTED, ORANGE, PAPER, DrawnFigure, Panel
from distxml.report.style import ORDER_NAMES, method_name, method_style
from distxml.report.verdict import against_each, against_random, questions_in_words, ranked
from distxml.report.wording import number, percent, signed, size

PANEL_WIDTH, NAMES_WIDTH, ROW_HEIGHT, FRAME_HEIGHT = 3.3, 1.4, 0.23, 0.8
VERDICT_COLORS = {"better": BLUE, "worse": ORANGE, "unclear": MUTED}
BETTER_SIDE = {
    order: f"better where it is {'above' if better == 'higher' else 'below'} 0" for order, better in BETTER_AOPC.items()
}


@dataclass(frozen=True)
class _Dot:
    """A method's number, its interval where it is known, and what is written beside it; hollow: not told apart."""

    method: Method
    value: float
    low: float | None
    high: float | None
    beside: str
    color: str
    hollow: bool = False


Dots = Mapping[Order, Sequence[_Dot]]


def overall_figure(summary: Summary) -> DrawnFigure:
    """AOPC over all settings: one row per method, the best of the first order on top; one panel per order."""
    shown: Dots = {order: [_overall_dot(row) for row in ranked(summary, order)] for order in summary.settings.orders}
    rows = ranked(summary, summary.settings.orders[0])
    title = f"AOPC, mean over all {rows[0].settings} pairs of a patch size and a fill"
    caption = (
        f"{title}{questions_in_words(summary)}: of each of {size(summary.curve_images, summary.curve_groups)} the "
        f"mean over the settings, then the mean over the images, with its 95% interval.{_random_in_words(summary)}"
    )
    random = next((row.aopc for row in rows if row.method == "random"), None)
    with _dot_panel(shown) as panel:
        _draw(panel, shown, AOPC_IN_WORDS, random)
        return panel.finish("aopc_overall", title, caption)


def comparison_figure(summary: Summary) -> DrawnFigure | None:
    """In-model minus every other method (or else every method minus `random`) over all settings; one panel per order.

    None where nothing was compared.
    """
    shown, pair = _against_each(summary), "in-model minus every other method"
    if not any(shown.values()):
        shown, pair = _against_random(summary), "every method minus a random order"
    if not any(shown.values()):
        return None
    title = f"AOPC, {pair}, image by image"
    caption = (
        f"{title}, over all patch sizes and fills{questions_in_words(summary)} and "
        f"{size(summary.curve_images, summary.curve_groups)}, with the 95% interval of the paired "
        "difference. Wins: share of the images on which the first of the two is better; "
        "equal ones count as half. Blue: clearly better; orange: clearly worse; hollow: not told apart; adjusted for "
        "the number of comparisons, but for the primary one."
    )
    with _dot_panel(shown) as panel:
        _draw(panel, shown, BETTER_SIDE, 0)
        return panel.finish("comparisons", title, caption, _verdict_legend())


def _against_each(summary: Summary) -> Dots:
    orders = summary.settings.orders
    return {order: [_difference_dot(row, row.other) for row in against_each(summary, order)] for order in orders}


def _against_random(summary: Summary) -> Dots:
    orders = summary.settings.orders
    return {order: [_difference_dot(row, row.method) for row in against_random(summary, order)] for order in orders}


def _overall_dot(row: AopcOverall) -> _Dot:
    return _Dot(row.method, row.aopc, row.low, row.high, number(row.aopc), method_style(row.method).color)


def _difference_dot(row: Comparison, method: Method) -> _Dot:
    beside = f"{signed(row.difference)}, wins {percent(row.wins)}"
    color = VERDICT_COLORS[row.verdict]
    return _Dot(method, row.difference, row.low, row.high, beside, color, hollow=row.verdict == "unclear")


def _random_in_words(summary: Summary) -> str:
    if "random" not in summary.settings.methods:
        return ""
    both = "; a random order has no direction and is the same in both" if len(summary.settings.orders) > 1 else ""
    return f" Dotted: the random order{both}."


def _verdict_legend() -> list[Line2D]:
    names = {"better": "clearly better", "worse": "clearly worse", "unclear": "not told apart"}
    return [
        Line2D([], [], color=color, marker="o", markersize=4.5, label=names[verdict], **_filling(verdict == "unclear"))
        for verdict, color in VERDICT_COLORS.items()
    ]


def _dot_panel(shown: Dots) -> Panel:
    rows = max(len(dots) for dots in shown.values())
    width = NAMES_WIDTH + PANEL_WIDTH * len(shown)
    return Panel(width, FRAME_HEIGHT + ROW_HEIGHT * rows, columns=len(shown))


def _draw(panel: Panel, shown: Dots, words: Mapping[str, str], reference: float | None) -> None:
    """One panel per order with its words and a dotted line at `reference`; rows as in the first panel."""
    methods: list[Method] = [dot.method for dot in next(iter(shown.values()))]
    for axes, (order, dots) in zip(panel.grid[0], shown.items(), strict=True):
        if reference is not None:
            axes.axvline(reference, color=INK, linestyle=":", linewidth=1)
        for dot in dots:
            _dot(axes, methods.index(dot.method), dot)
        axes.set_title(f"{ORDER_NAMES[order]}: {words[order]}")
        axes.xaxis.set_major_locator(MaxNLocator(5))
        axes.grid(visible=False, axis="y")
    panel.axes.set_yticks(range(len(methods)), [method_name(method) for method in methods], color=INK)
    panel.axes.set_ylim(len(methods) - 0.5, -0.5)


def _dot(axes: Axes, row: int, dot: _Dot) -> None:
    strong = dot.method == "in_model"
    if dot.low is not None and dot.high is not None:
        axes.plot([dot.low, dot.high], [row, row], color=dot.color, linewidth=2.2 if strong else 1.4)
    size = 6.5 if strong else 5
    axes.plot(dot.value, row, "o", color=dot.color, markersize=size, **_filling(dot.hollow))
    axes.annotate(
        dot.beside,
        (1.01, row),
        xycoords=("axes fraction", "data"),
        fontsize=7,
        va="center",
    )


def _filling(hollow: bool) -> dict[str, Any]:
    return {"markerfacecolor": PAPER} if hollow else {}
