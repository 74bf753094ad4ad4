"""What the report calls methods and orders, and the lines that it draws for methods and classes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from matplotlib.lines import Line2D

from distxml.config.evaluation import Method, Order
from distxml.report.figure import BLUE, GREEN, INK, MUTED, ORANGE, PINK, SERIES, YELLOW

THIN, PLAIN, STRONG = 1.1, 1.6, 2.5

METHOD_NAMES: dict[Method, str] = {
    "in_model": "in-model",
    "saliency": "gradient saliency",
    "input_x_gradient": "input × gradient",
    "integrated_gradients": "integrated gradients",
    "guided_backprop": "guided backprop",
    "deconvolution": "deconvolution",
    "grad_cam": "Grad-CAM",
    "guided_grad_cam": "guided Grad-CAM",
    "lrp": "LRP",
    "canny": "Canny edges",
    "otsu": "Otsu threshold",
    "center_distance": "center distance",
    "random": "random order",
}
ORDER_NAMES: dict[Order, str] = {"morf": "MoRF", "lerf": "LeRF"}
ORDER_WORDS: dict[Order, str] = {"morf": "most relevant first", "lerf": "least relevant first"}
BETTER_WORDS: dict[Order, str] = {"morf": "higher is better", "lerf": "lower is better"}


Dash = Literal["-", "--", ":", "-."]
DASHES: tuple[Dash, ...] = get_args(Dash)


@dataclass(frozen=True)
class Look:
    """A line: its colour, a key of `THEME`; its dash; its width in points."""

    color: str
    dash: Dash = "-"
    width: float = PLAIN


METHOD_LOOKS: dict[Method, Look] = {
    "in_model": Look(BLUE, "-", STRONG),
    "saliency": Look(ORANGE, "-", THIN),
    "input_x_gradient": Look(ORANGE, "--", THIN),
    "integrated_gradients": Look(ORANGE, ":", THIN),
    "guided_backprop": Look(PINK, "-", THIN),
    "deconvolution": Look(PINK, "--", THIN),
    "grad_cam": Look(GREEN, "-", THIN),
    "guided_grad_cam": Look(GREEN, "--", THIN),
    "lrp": Look(YELLOW, "-.", THIN),
    "canny": Look(MUTED, "--", THIN),
    "otsu": Look(MUTED, "-.", THIN),
    "center_distance": Look(MUTED, "-", THIN),
    "random": Look(INK, ":", PLAIN),
}
"""Colour says the family (in-model, gradients, guided, CAM, relevance, controls), dash says which of it."""


def method_name(method: Method) -> str:
    """What the report calls a method."""
    return METHOD_NAMES[method]


def method_look(method: Method) -> Look:
    """The method's line."""
    return METHOD_LOOKS[method]


def without(methods: Iterable[Method], left_out: Method) -> list[Method]:
    """The methods but one, in their order."""
    return [method for method in methods if method != left_out]


def method_looks(methods: Iterable[Method]) -> dict[str, Look]:
    """Name and line of each."""
    return {method_name(method): method_look(method) for method in methods}


def class_looks(classes: Iterable[str]) -> dict[str, Look]:
    """Name and line of each."""
    return {name: class_look(index) for index, name in enumerate(classes)}


def class_look(index: int) -> Look:
    """The line of the i-th class; they repeat after 24."""
    return Look(SERIES[index % len(SERIES)], DASHES[index // len(SERIES) % len(DASHES)])


MOST_ENTRIES = 24
"""Of a legend in a figure; a page's legend has all."""
LONGEST_NAME = 28


def legend(looks: Mapping[str, Look]) -> list[Line2D]:
    """A figure's legend of those names."""
    shown = list(looks.items())[:MOST_ENTRIES]
    lines = [_line(shortened(name), look) for name, look in shown]
    left = len(looks) - len(shown)
    return [*lines, _line(f"and {left} more", Look("none"))] if left else lines


def _line(name: str, look: Look) -> Line2D:
    return Line2D([], [], color=look.color, linestyle=look.dash, linewidth=look.width, label=name)


def shortened(name: str, longest: int = LONGEST_NAME) -> str:
    """A name of the user's that fits into a figure: one line, its end left out where it is long."""
    line = " ".join(name.split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"
