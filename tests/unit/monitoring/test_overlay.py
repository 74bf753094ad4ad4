"""Heatmaps as colours: one fixed scale, nothing of the image's colours in an overlay."""

import tracemalloc

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from matplotlib import colormaps

from distxml.monitoring.overlay import COLORMAP, GAP, HEAT_SHARE, NOT_A_NUMBER, colorize, overlay, triptych

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


@given(heat=arrays(st.sampled_from([np.float32, np.float64]), (3, 5), elements=st.floats(-2, 2, width=32)))
def test_colours_are_those_of_the_colormap(heat: np.ndarray):
    before = heat.copy()
    assert (colorize(heat) == colormaps[COLORMAP](heat.clip(0, 1), bytes=True)[..., :3]).all()
    assert (heat == before).all()


def test_overlay_is_the_weighted_sum_within_rounding():
    rng = np.random.default_rng(0)
    image, heat = rng.integers(0, 256, (40, 30, 3), dtype=np.uint8), rng.uniform(size=(40, 30)).astype(np.float32)
    exact = HEAT_SHARE * colorize(heat) + (1 - HEAT_SHARE) * (image @ np.array([0.299, 0.587, 0.114]))[..., None]
    assert np.abs(overlay(image, heat) - exact).max() <= 0.5 + 0.5 * (1 - HEAT_SHARE) + 1e-3


def test_overlay_of_a_megapixel_takes_little_memory():
    image, heat = np.zeros((1000, 1000, 3), np.uint8), np.full((1000, 1000), 0.5, np.float32)
    overlay(image[:2, :2], heat[:2, :2])  # what is loaded once does not count
    tracemalloc.start()
    overlay(image, heat)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20e6


def test_triptych_is_image_heatmap_overlay():
    image = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    heat = np.random.default_rng(1).uniform(size=(5, 7))
    parts = triptych(image, heat)
    assert parts.shape == (5, 3 * 7 + 2 * GAP, 3)
    assert (parts[:, :7] == image).all()
    assert (parts[:, 7 + GAP : 14 + GAP] == colorize(heat)).all()
    assert (parts[:, 14 + 2 * GAP :] == overlay(image, heat)).all()
    assert (parts[:, 7 : 7 + GAP] == 255).all()
