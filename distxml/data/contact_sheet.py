"""A few images per class with their masks, on one picture."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from distxml.data.inspect import EXAMPLES, image_size, mask_pixels
from distxml.data.rows import Row, decode_image
from distxml.errors import UserError, reason_of
from distxml.files import whole_file

Pixels = NDArray[np.uint8]

MAX_SIDE = 240
"""Pixels of an image on the sheet."""
MAX_CLASSES = 20
MAX_CAPTION = 26
TINT = (255, 196, 0)
TINT_STRENGTH = 0.3


def write_contact_sheet(examples: dict[int, list[Row]], classes: Sequence[str], path: Path) -> None:
    """A row of images per class, the masks outlined and tinted, as a PNG file.

    Raises:
        UserError: the file cannot be written.
    """
    labels = sorted(examples)[:MAX_CLASSES]
    figure = Figure(figsize=(1.9 * EXAMPLES, 2.3 * len(labels)), layout="constrained")
    grid = figure.subplots(len(labels), EXAMPLES, squeeze=False)
    for axes_of_class, label in zip(grid, labels, strict=True):
        for axes in axes_of_class:
            axes.set_axis_off()
        for axes, row in zip(axes_of_class, examples[label], strict=False):
            _show(axes, row, classes[label])
    _save(figure, path)


def with_mask(row: Row) -> Pixels:
    """The image as H×W×3 RGB, `MAX_SIDE` long, its mask outlined and tinted."""
    width, height = image_size(row)
    scale = MAX_SIDE / max(width, height)
    shown = (max(1, round(width * scale)), max(1, round(height * scale)))
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_NEAREST
    picture = cv2.resize(decode_image(row.image, None, row.key), shown, interpolation=interpolation)
    if row.mask is not None:
        inside = mask_pixels(row, height, width).astype(np.uint8)
        inside = cv2.resize(inside, shown, interpolation=cv2.INTER_NEAREST_EXACT)
        tinted = picture + TINT_STRENGTH * inside[..., None] * (np.array(TINT) - picture)
        outlines, _ = cv2.findContours(inside, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
        picture = cv2.drawContours(np.rint(tinted).astype(np.uint8), outlines, -1, TINT, 2)
    return np.asarray(picture, np.uint8)


def _show(axes: Axes, row: Row, name: str) -> None:
    axes.imshow(with_mask(row))
    lines = [_shortened(name), _shortened(row.key), _remark(row)]
    axes.set_title("\n".join(line for line in lines if line), fontsize=8, parse_math=False)  # a $ in a key is a $


def _remark(row: Row) -> str:
    if row.mask is None:
        return "not annotated"
    width, height = image_size(row)
    return "" if mask_pixels(row, height, width).any() else "empty mask"


def _shortened(text: str) -> str:
    return text if len(text) <= MAX_CAPTION else f"{text[: MAX_CAPTION - 3]}..."


def _save(figure: Figure, path: Path) -> None:
    try:
        with whole_file(path) as file:
            figure.savefig(file, format="png", dpi=130)
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({reason_of(error)}); name a file with --out") from None
