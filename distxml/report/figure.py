"""A matplotlib figure, as inline SVG that follows the page's colours and as files that stand alone."""

import io
import math
import re
import textwrap
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backend_bases import FigureCanvasBase
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.font_manager import get_font_names
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D

from distxml.digest import digest_of

MAIN_FONT = "DejaVu Sans"
"""Comes with matplotlib: Latin, Greek, Cyrillic, Arabic, Hebrew."""

OTHER_FONTS = (
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "Source Han Sans SC",
    "WenQuanYi Micro Hei",
    "Microsoft YaHei",
    "Malgun Gothic",
    "Hiragino Sans",
    "PingFang SC",
    "Noto Sans Devanagari",
    "Noto Sans Thai",
    "Arial Unicode MS",
)

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
    "#ffffff": "var(--paper)",
}
"""Colours that figures are drawn in, and the page's variable that stands in for each (after Okabe and Ito)."""

INK, MUTED, LINE, BLUE, ORANGE, GREEN, PINK, YELLOW, SKY, PAPER = THEME

SERIES = (BLUE, ORANGE, GREEN, PINK, YELLOW, SKY)
"""Colours of lines that differ in nothing else, in turn."""

DOTS_PER_INCH = 200
"""Of the PNG files."""

POINTS_PER_INCH = 72
"""What matplotlib's SVG files are measured in."""

TITLE_HEIGHT, LEGEND_HEIGHT = 0.25, 0.17
"""Inches that a plate is higher than its picture, for a line of the title and for a row of the legend."""

TITLE_LETTERS, LEGEND_LETTERS = 12, 14
"""That fit into an inch."""

LEGEND_LINE = 0.65
"""Inches of a legend's entry beside its letters."""


def font_families() -> list[str]:
    """The main font, and those of the others that this machine has, for letters that the main one lacks."""
    installed = set(get_font_names())
    return [MAIN_FONT, *(name for name in OTHER_FONTS if name in installed)]


STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text: it can be read aloud, searched and copied
    "svg.hashsalt": "distxml",
    "text.parse_math": False,
    "font.family": font_families(),
    "font.size": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": LINE,
    "axes.labelcolor": MUTED,
    "axes.titlecolor": INK,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.formatter.useoffset": False,
    "figure.titlesize": 10,
    "grid.color": LINE,
    "grid.linewidth": 0.5,
    "image.composite_image": False,  # else the pictures of an SVG are melted down to 72 dots an inch
    "legend.frameon": False,
    "legend.handlelength": 2.6,
    "xtick.color": LINE,
    "ytick.color": LINE,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "text.color": INK,
    "lines.linewidth": 1.6,
}


@dataclass(frozen=True)
class Picture:
    """A figure of the page.

    Attributes:
        svg: markup that is safe to inline.
        alt: what it shows, in words.
        width: inches, as drawn; the page enlarges it.
    """

    svg: str
    alt: str
    width: float


@dataclass(frozen=True)
class Plate:
    """A figure as files, white, with its title and legend.

    Attributes:
        name: of the files, without their suffix.
        title: one line.
        caption: what a reader must know.
        svg, png: contents of the files; text in the SVG is drawn as outlines, the same everywhere.
    """

    name: str
    title: str
    caption: str
    svg: bytes
    png: bytes


@dataclass(frozen=True)
class DrawnFigure:
    """The same figure in both shapes."""

    picture: Picture
    plate: Plate


class Panel:
    """A grid of axes in one figure: `with Panel(...) as panel:` draws in the report's style, then `panel.finish()`.

    Attributes:
        grid: rows×columns axes; those of a row share x, all share y.
        axes: the first.
    """

    def __init__(self, width: float = 3.6, height: float = 2.5, rows: int = 1, columns: int = 1) -> None:
        """
        Args:
            width, height: inches; the page scales the figure to its column.
            rows, columns: of axes.
        """
        self._context = mpl.rc_context(STYLE)
        self._size = (width, height)
        self._shape = (rows, columns)

    def __enter__(self) -> "Panel":
        self._context.__enter__()
        self.figure = Figure(self._size)
        self.grid = self.figure.subplots(*self._shape, sharex="row", sharey=True, squeeze=False)
        self.axes: Axes = self.grid[0, 0]
        return self

    def __exit__(self, *error: object) -> None:
        self._context.__exit__(None, None, None)

    def picture(self, alt: str) -> Picture:
        """The drawn figure for the page; `alt` says in words what it shows."""
        self._lay_out(FigureCanvasSVG, POINTS_PER_INCH)
        document = self._save("svg", transparent=True, metadata={"Date": None}).decode()
        return Picture(inline(document, alt, THEME), alt, self._size[0])

    def plate(self, name: str, title: str, caption: str, legend: Sequence[Line2D] = ()) -> Plate:
        """The drawn figure for a paper: the title above, unless the only axes have it, and the legend below.

        Args:
            name: of the files, without their suffix.
            title: one line, which is wrapped to the figure's width.
            caption: what a reader must know; kept beside the figure, not drawn.
            legend: lines with labels; empty draws no legend.
        """
        width, height = self._size
        if self.axes.get_title("left") != title:
            lines = textwrap.wrap(title, int(width * TITLE_LETTERS))
            self.figure.suptitle("\n".join(lines), x=0.01, ha="left")
            height += TITLE_HEIGHT * len(lines)
        if legend:
            longest = max(len(str(line.get_label())) for line in legend)
            columns = max(1, min(len(legend), int(width / (LEGEND_LINE + longest / LEGEND_LETTERS))))
            self.figure.legend(handles=legend, loc="outside lower center", ncols=columns)
            height += LEGEND_HEIGHT * (math.ceil(len(legend) / columns) + 1)
        self.figure.set_size_inches(width, height)
        self._lay_out(FigureCanvasAgg, DOTS_PER_INCH)
        png = self._save("png", facecolor="white", dpi=DOTS_PER_INCH)
        with mpl.rc_context({"svg.fonttype": "path"}):
            svg = self._save("svg", facecolor="white", metadata={"Date": None})
        return Plate(name, title, caption, svg, png)

    def finish(self, name: str, title: str, caption: str, legend: Sequence[Line2D] = ()) -> DrawnFigure:
        """Both shapes; the page writes title and legend itself.

        Args:
            name: of the files, without their suffix.
            title: one line, drawn in the files alone.
            caption: what a reader must know; on the page what the figure shows, in words.
            legend: lines with labels, drawn in the files alone; empty draws no legend.
        """
        picture = self.picture(caption)
        return DrawnFigure(picture, self.plate(name, title, caption, legend))

    def _lay_out(self, canvas: type[FigureCanvasBase], dots_per_inch: float) -> None:
        """Place axes and letters, as a canvas measures letters.

        Not by the figure's own layout engine: with one, matplotlib draws everything once more before it saves anything.
        """
        canvas(self.figure)
        drawn_at = self.figure.dpi
        self.figure.dpi = dots_per_inch
        with _whatever_letters():
            ConstrainedLayoutEngine().execute(self.figure)
        self.figure.dpi = drawn_at

    def _save(self, kind: str, **how: Any) -> bytes:
        buffer = io.BytesIO()
        with _whatever_letters():
            self.figure.savefig(buffer, format=kind, **how)
        return buffer.getvalue()


@contextmanager
def _whatever_letters() -> Iterator[None]:
    """No warning of letters that no font has: the page's own text has every letter."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from")
        yield


def inline(document: str, alt: str, theme: Mapping[str, str]) -> str:
    """No prolog, no metadata, no ids that could clash with another element's; safe to put into a page.

    Args:
        document: what matplotlib wrote, its text as text.
        alt: what it shows, in words.
        theme: what each colour becomes.
    """
    svg = document[document.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'(<g) id="[^"]*"', r"\1", svg)  # nothing refers to a group
    svg = re.sub(r"<defs>\s*<style.*?</style>\s*</defs>", "", svg, flags=re.DOTALL)  # it would reach the whole page
    svg = _own_ids(svg, digest_of(alt + svg)[:8])
    svg = re.sub(r'<svg([^>]*?) (?:width|height)="[^"]*"([^>]*?) (?:width|height)="[^"]*"', r"<svg\1\2", svg, count=1)
    svg = svg.replace("<svg", f'<svg role="img" aria-label="{escape(alt)}"', 1)
    svg = re.sub(r' d="[^"]*"', _shorter_numbers, svg)
    for color, variable in theme.items():
        svg = svg.replace(color, variable)
    return re.sub(r'font-family: [^;"]+', "font-family: inherit", svg).strip()


def _own_ids(svg: str, prefix: str) -> str:
    """`prefix` before every id and every reference to one."""
    return re.sub(r'( id="|href="#|url\(#)', rf"\g<1>{prefix}", svg)


def _shorter_numbers(path: re.Match[str]) -> str:
    """A path with hundredths of a point, which no screen shows: half the size."""
    return re.sub(r"(\.\d\d)\d+", r"\1", path[0])
