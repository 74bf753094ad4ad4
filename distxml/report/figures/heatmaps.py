"""The grid of images × methods as a figure for a paper."""

import textwrap
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from distxml.monitoring.overlay import colorize
from distxml.report.figure import MUTED, Panel, Plate
from distxml.report.heatmap_grid import HeatmapGrid, ImageRow
from distxml.report.pixels import Pixels
from distxml.report.style import method_name, shortened
from distxml.report.wording import number

INCHES = 0.85
"""Width of a picture; everything below is in widths of a picture."""
GAP, UNDER, HEAD, FOOT, BESIDE = 0.06, 0.27, 0.45, 0.35, 1.55
NAME_LETTERS, CLASS_LETTERS = 13, 15


def heatmap_figure(grid: HeatmapGrid) -> Plate:
    """Rows: images; columns: the image, then every method's heatmap with its POMPOM of equal area under it."""
    tall = grid.rows[0].image.shape[0] / grid.rows[0].image.shape[1]
    columns = 1 + len(grid.methods)
    width = BESIDE + columns * (1 + GAP)
    height = HEAD + len(grid.rows) * (tall + UNDER)
    with Panel(INCHES * width, INCHES * (height + FOOT)) as panel:
        axes = panel.axes
        axes.set_axis_off()
        for column, name in enumerate(["image", *map(method_name, grid.methods)]):
            middle = BESIDE + column * (1 + GAP) + 0.5
            _text(axes, middle, HEAD - 0.08, textwrap.fill(name, NAME_LETTERS), ha="center", va="bottom")
        for index, row in enumerate(grid.rows):
            _draw(axes, row, HEAD + index * (tall + UNDER), tall)
        _scale(axes, height, "in_model" in grid.methods)
        axes.set(xlim=(0, width), ylim=(height + FOOT, 0), aspect="equal")
        return panel.plate("heatmaps", "Heatmaps of the same images by every method", grid.caption)


def _draw(axes: Axes, row: ImageRow, top: float, tall: float) -> None:
    lines = [f"p({shortened(row.target, CLASS_LETTERS)})", f"= {number(row.probability)}"]
    if row.target != row.label:
        lines.append(f"true: {shortened(row.label, CLASS_LETTERS)}")
    _text(axes, BESIDE - 0.08, top + tall / 2, "\n".join(lines), ha="right", va="center")
    for column, picture in enumerate([row.image, *(heatmap.picture for heatmap in row.heatmaps)]):
        _picture(axes, picture, (BESIDE + column * (1 + GAP), top), (1, tall))
    for column, heatmap in enumerate(row.heatmaps, start=1):
        middle = BESIDE + column * (1 + GAP) + 0.5
        _text(axes, middle, top + tall + 0.03, number(heatmap.pompom_equal_area), ha="center", va="top", color=MUTED)


def _scale(axes: Axes, top: float, has_in_model: bool) -> None:
    """The colours, and what their ends are."""
    left, long, high = 0.1, BESIDE - 0.2, 0.12
    _picture(axes, colorize(np.linspace(0, 1, 256)[None]), (left, top + 0.03), (long, high))
    ends = "its own maximum (in-model: 1)" if has_in_model else "its own maximum"
    _text(axes, left + long + 0.1, top, f"0 to {ends}\nunder each heatmap: POMPOM of equal area", va="top")


def _picture(axes: Axes, picture: Pixels, corner: tuple[float, float], size: tuple[float, float]) -> None:
    """`corner` is the upper left one; `size` is width and height."""
    (left, top), (width, height) = corner, size
    axes.imshow(picture, extent=(left, left + width, top + height, top), interpolation="nearest")


def _text(axes: Axes, x: float, y: float, words: str, **how: Any) -> None:
    """Words that take no room of their own: the pictures keep their places, whatever the names."""
    axes.text(x, y, words, fontsize=7, in_layout=False, **how)
