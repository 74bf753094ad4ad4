"""What the report calls methods and orders, and the lines that it draws for methods and classes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import get_args

from matplotlib.lines import Line2D

from distxml.attribution.methods import METHODS, Dash, Family
from distxml.config.evaluation import Method, Order
from distxml.report.figure import BLUE, GREEN, INK, MUTED, ORANGE, PINK, SERIES, SKY, YELLOW

THIN, PLAIN, STRONG = 1.1, 1.6, 2.5

ORDER_NAMES: dict[Order, str] = {"morf": "MoRF", "lerf": "LeRF"}
ORDER_WORDS: dict[Order, str] = {"morf": "most relevant first", "lerf": "least relevant first"}

DASHES: tuple[Dash, ...] = get_args(Dash)


@dataclass(frozen=True)
class LineStyle:
    """A line: its colour, a key of `THEME`; its dash; its width in points."""

    color: str
    dash: Dash = "-"
    width: float = PLAIN


FAMILY_LINES: dict[Family, LineStyle] = {
    "in_model": LineStyle(BLUE, width=STRONG),
    "gradient": LineStyle(ORANGE, width=THIN),
    "product": LineStyle(PINK, width=THIN),
    "cam": LineStyle(GREEN, width=THIN),
    "relevance": LineStyle(YELLOW, width=THIN),
    "perturbation": LineStyle(SKY, width=THIN),
    "control": LineStyle(MUTED, width=THIN),
    "random": LineStyle(INK, width=PLAIN),
}
"""Colour and width say the family of a method, its dash says which of it."""


def method_name(method: Method) -> str:
    """What the report calls a method."""
    return METHODS[method].title


def method_style(method: Method) -> LineStyle:
    """The method's line."""
    entry = METHODS[method]
    return replace(FAMILY_LINES[entry.family], dash=entry.dash)


def without(methods: Iterable[Method], left_out: Method) -> list[Method]:
    """The methods but one, in their order."""
    return [method for method in methods if method != left_out]


def method_styles(methods: Iterable[Method]) -> dict[str, LineStyle]:
    """Name and line of each."""
    return {method_name(method): method_style(method) for method in methods}


def class_styles(classes: Iterable[str]) -> dict[str, LineStyle]:
    """Name and line of each."""
    return {name: class_style(index) for index, name in enumerate(classes)}


def class_style(index: int) -> LineStyle:
    """The line of the i-th class; they repeat after 24."""
    return LineStyle(SERIES[index % len(SERIES)], DASHES[index // len(SERIES) % len(DASHES)])


MAX_ENTRIES = 24
"""Of a legend in a figure; a page's legend has all."""
MAX_NAME = 28


def legend(styles: Mapping[str, LineStyle]) -> list[Line2D]:
    """A figure's legend of those names."""
    shown = list(styles.items())[:MAX_ENTRIES]
    lines = [_line(shortened(name), style) for name, style in shown]
    left = len(styles) - len(shown)
    return [*lines, _line(f"and {left} more", LineStyle("none"))] if left else lines


def _line(name: str, style: LineStyle) -> Line2D:
    return Line2D([], [], color=style.color, linestyle=style.dash, linewidth=style.width, label=name)


def shortened(name: str, longest: int = MAX_NAME) -> str:
    """A name of the user's that fits into a figure: one line, its end left out where it is long."""
    line = " ".join(name.split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"
