"""Pictures for a page."""

import numpy as np

from distxml.report.pixels import MAX_SIDE, thumbnail


def test_a_thumbnail_keeps_the_shape_and_small_pictures_as_they_are():
    assert thumbnail(np.zeros((32, 48, 3), np.uint8)).shape == (32, 48, 3)
    assert thumbnail(np.zeros((240, 480, 3), np.uint8)).shape == (MAX_SIDE // 2, MAX_SIDE, 3)
