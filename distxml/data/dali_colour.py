"""Shift of hue, saturation and value in DALI's arithmetic; its own `fn.hsv` approximates by a linear map of RGB."""

from typing import Any

import nvidia.dali.fn
import nvidia.dali.math
import nvidia.dali.types

fn: Any = nvidia.dali.fn
math: Any = nvidia.dali.math
types: Any = nvidia.dali.types


def shifted_colour(image, hue, saturation, value):
    """An H×W×3 uint8 image, its colours shifted.

    Args:
        hue: degrees to turn by.
        saturation: added in 255ths; grey stays grey.
        value: added in 255ths.
    """
    red, green, blue = (fn.cast(image[:, :, c : c + 1], dtype=types.FLOAT) for c in range(3))
    most = math.max(math.max(red, green), blue)
    range_ = most - math.min(math.min(red, green), blue)
    coloured = fn.cast(range_ > 0, dtype=types.FLOAT)
    share = range_ / math.max(most, 1.0)  # saturation in [0, 1]
    share = coloured * math.clamp(share + saturation / 255.0, 0.0, 1.0)
    bright = math.clamp(most + value, 0.0, 255.0)
    sixths = _hue_in_sixths(red, green, blue, most, math.max(range_, 1.0)) + hue / 60.0
    channels = [_channel(sixths + start, share, bright) for start in (5.0, 3.0, 1.0)]
    return fn.cast(math.floor(fn.cat(*channels, axis=2) + 0.5), dtype=types.UINT8)


def _hue_in_sixths(red, green, blue, most, range_):
    """Hue in [-1, 5), a whole turn being 6."""
    of_red = fn.cast(red == most, dtype=types.FLOAT)
    of_green = fn.cast(green == most, dtype=types.FLOAT) * (1.0 - of_red)
    of_blue = 1.0 - of_red - of_green
    from_green = 2.0 + (blue - red) / range_
    from_blue = 4.0 + (red - green) / range_
    return of_red * (green - blue) / range_ + of_green * from_green + of_blue * from_blue


def _channel(sixths, share, bright):
    """One channel of the colour with this hue: `bright`, less what its distance on the colour circle takes."""
    place = sixths - 6.0 * math.floor(sixths / 6.0)
    return bright - bright * share * math.clamp(math.min(place, 4.0 - place), 0.0, 1.0)
