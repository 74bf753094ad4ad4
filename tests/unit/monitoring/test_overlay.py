"""Heatmaps as colours: one fixed scale, nothing of the image's colours in an overlay."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import colormaps

from distxml.monitoring.overlay import COLORMAP, GAP, NOT_A_NUMBER, colorize, overlay, triptych

LOW, HIGH = (tuple(int(part) for part in colormaps[COLORMAP](end, bytes=True)[:3]) for end in (0.0, 1.0))


@given(heat=st.floats(0, 1))
def test_a_colour_depends_on_its_own_pixel_alone(heat: float):
    alone = colorize(np.full((1, 1), heat))
    among_others = colorize(np.array([[heat, 0.0], [1.0, 0.3]]))
    assert alone.dtype == np.uint8
    assert (alone[0, 0] == among_others[0, 0]).all()


def test_ends_of_the_scale_and_beyond():
    colors = colorize(np.array([[0.0, 1.0, -3.0, 7.0, np.nan]], np.float32))
    assert [tuple(color) for color in colors[0].tolist()] == [LOW, HIGH, LOW, HIGH, NOT_A_NUMBER]


def test_more_heat_is_lighter():
    brightness = colorize(np.linspace(0, 1, 256)[None]).astype(float) @ (0.299, 0.587, 0.114)
    assert (np.diff(brightness[0]) > -1).all() and brightness[0, -1] - brightness[0, 0] > 200


def test_overlay_knows_the_image_by_its_brightness_alone():
    heat = np.full((2, 2), 0.4)
    red, gray = np.zeros((2, 2, 3), np.uint8), np.full((2, 2, 3), 76, np.uint8)
    red[..., 0] = 254  # 0.299 · 254 = 75.9
    assert (overlay(red, heat) == overlay(gray, heat)).all()
    assert overlay(np.full((1, 1, 3), 255, np.uint8), np.ones((1, 1))).max() <= 255


def test_triptych_is_image_heatmap_overlay():
    image = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    heat = np.random.default_rng(1).uniform(size=(5, 7))
    parts = triptych(image, heat)
    assert parts.shape == (5, 3 * 7 + 2 * GAP, 3)
    assert (parts[:, :7] == image).all()
    assert (parts[:, 7 + GAP : 14 + GAP] == colorize(heat)).all()
    assert (parts[:, 14 + 2 * GAP :] == overlay(image, heat)).all()
    assert (parts[:, 7 : 7 + GAP] == 255).all()
