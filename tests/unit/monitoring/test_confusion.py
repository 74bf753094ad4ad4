"""The picture of a confusion matrix: every field has the colour of its share, and words stay inside."""

import matplotlib as mpl
import numpy as np
import pytest

from distxml.monitoring.confusion import COLORMAP, DOTS_PER_INCH, LABEL, NAME, NUMBER, confusion_picture


def fields(picture: np.ndarray, classes: int, margin: float) -> np.ndarray:
    """C×C×3: a pixel near the corner of each field, where no number stands."""
    inches = (picture.shape[0] / DOTS_PER_INCH - margin - LABEL) / classes
    starts = np.arange(classes) * inches
    rows = np.round((LABEL + starts + 0.15 * inches) * DOTS_PER_INCH).astype(int)
    columns = np.round((margin + starts + 0.15 * inches) * DOTS_PER_INCH).astype(int)
    return picture[rows[:, None], columns[None]]


@pytest.mark.parametrize(("classes", "margin", "power"), [(3, NAME + LABEL, 1), (25, NUMBER + LABEL, 0.5)])
def test_a_fields_colour_is_its_share_of_the_row(classes: int, margin: float, power: float) -> None:
    counts = np.random.default_rng(0).integers(0, 50, (classes, classes))
    counts[1] = 0  # a class without images
    picture = confusion_picture(counts, tuple(f"class {index}" for index in range(classes)))
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    expected = 255 * mpl.colormaps[COLORMAP](shares**power)[..., :3]
    assert np.abs(fields(picture, classes, margin) - expected).max() <= 2


@pytest.mark.parametrize("classes", [1, 2, 20, 21])
def test_nothing_is_cut_off(classes: int) -> None:
    names = tuple(f"$\\alpha_{index}$ a long name of a class" for index in range(classes))
    picture = confusion_picture(np.full((classes, classes), 123_456), names)
    border = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
    assert (border == 255).all()
