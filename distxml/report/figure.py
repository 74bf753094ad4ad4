"""A matplotlib figure as inline SVG that follows the page's colours, light or dark."""

import hashlib
import io
import re
from dataclasses import dataclass
from html import escape
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

THEME = {
    "#101010": "var(--ink)",
    "#808080": "var(--muted)",
    "#d0d0d0": "var(--line)",
    "#0072b2": "var(--blue)",
    "#d55e00": "var(--orange)",
    "#009e73": "var(--green)",
    "#cc79a7": "var(--pink)",
    "#e69f00": "var(--yellow)",
    "#56b4e9": "var(--sky)",
}
"""Colours that figures are drawn in, and the page's variable that stands in for each (after Okabe and Ito)."""

INK, MUTED, LINE, BLUE, ORANGE, GREEN, PINK, YELLOW, SKY = THEME
SERIES = (BLUE, ORANGE, GREEN, PINK, YELLOW, SKY)
DASHES = ("-", "--", ":", "-.")

STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text: it can be read aloud, searched and copied
    "svg.hashsalt": "distxml",
    "text.parse_math": False,
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": LINE,
    "axes.labelcolor": MUTED,
    "axes.titlecolor": INK,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "axes.grid": True,
    "axes.formatter.useoffset": False,
    "grid.color": LINE,
    "grid.linewidth": 0.5,
    "xtick.color": LINE,
    "ytick.color": LINE,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "text.color": INK,
    "lines.linewidth": 1.6,
}


@dataclass(frozen=True)
class Picture:
    """A figure of the page: SVG markup that is safe to inline, and what it shows in words."""

    svg: str
    alt: str


class Panel:
    """One axes in one figure; `with Panel(...) as panel:` draws in the page's style, then `panel.picture(alt)`."""

    def __init__(self, width: float = 3.6, height: float = 2.5) -> None:
        """Inches; the page scales the figure to its column."""
        self._context = mpl.rc_context(STYLE)
        self._size = (width, height)

    def __enter__(self) -> "Panel":
        self._context.__enter__()
        self.figure = Figure(self._size, layout="constrained")
        FigureCanvasSVG(self.figure)
        self.axes: Axes = self.figure.add_subplot()
        return self

    def __exit__(self, *error: object) -> None:
        self._context.__exit__(None, None, None)

    def picture(self, alt: str) -> Picture:
        """The drawn figure; `alt` says in words what it shows."""
        buffer = io.StringIO()
        self.figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
        return Picture(_inline(buffer.getvalue(), alt), alt)


def _inline(document: str, alt: str) -> str:
    """An SVG document as an element of an HTML page: no prolog, no metadata, no ids that could clash, themed."""
    svg = document[document.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'(<g) id="[^"]*"', r"\1", svg)  # nothing refers to a group
    svg = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>", "", svg, flags=re.DOTALL)  # it would reach the whole page
    svg = _own_ids(svg, hashlib.sha256((alt + svg).encode()).hexdigest()[:8])
    svg = re.sub(r'<svg([^>]*?) (?:width|height)="[^"]*"([^>]*?) (?:width|height)="[^"]*"', r"<svg\1\2", svg, count=1)
    svg = svg.replace("<svg", f'<svg role="img" aria-label="{escape(alt)}"', 1)
    for color, variable in THEME.items():
        svg = svg.replace(color, variable)
    return svg.replace("font-family: 'DejaVu Sans', sans-serif", "font-family: inherit").strip()


def _own_ids(svg: str, prefix: str) -> str:
    """`prefix` before every id and every reference to one."""
    return re.sub(r'( id="|href="#|url\(#)', rf"\g<1>{prefix}", svg)
