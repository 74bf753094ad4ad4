"""DALI's graph: decode, resize, augment. One definition for the CPU and for the GPU.

A branch on a `DataNode` (`if ...`) runs for those images of the batch alone for which it is true. Where DALI has no
operator for the CPU, OpenCV does the work (`fn.python_function`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import nvidia.dali.fn
import nvidia.dali.math
import nvidia.dali.types
from nvidia.dali.data_node import DataNode
from nvidia.dali.pipeline import Pipeline, do_not_convert, pipeline_def

from distxml.config.augmentation import AugmentationSettings
from distxml.config.recipe import LoaderSettings
from distxml.data.augment.maps import Size
from distxml.data.augment.opencv import CLAHE_TILES, remapped
from distxml.data.dali.inputs import NUMBERS, inputs
from distxml.data.rows import MASK_THRESHOLD, Pixels

fn: Any = nvidia.dali.fn  # DALI's annotations allow lists and constants everywhere, and leave out the types' names

math: Any = nvidia.dali.math

types: Any = nvidia.dali.types


@dataclass(frozen=True)
class GraphOptions:
    """How the graph is built.

    Attributes:
        gpu: on the GPU after decoding; else on the CPU.
        settings: strengths that DALI takes for all images alike.
        size: height and width of the result.
    """

    gpu: bool
    settings: AugmentationSettings
    size: Size

    def here(self, node: DataNode) -> DataNode:
        """A node of the CPU, on the device of the images."""
        return node.gpu() if self.gpu else node


def make_pipeline(
    settings: LoaderSettings, source: Callable[[], object], augment: bool, gpu: bool, device_id: int | None
) -> Pipeline:
    """A pipeline with the outputs image (3×H×W float in [0, 1]) and mask (H×W×1 float, 0 or 1).

    Args:
        settings: image size, batch size, threads, prefetched batches and strengths of augmentation.
        source: called for each batch; see `Feed`.
        augment: whether the source gives what was drawn too.
        gpu: `mixed` decoders, and all that follows on the GPU.
        device_id: the GPU's index; None builds the GPU's graph too, but it cannot run.
    """
    return _graph(
        source,
        augment,
        GraphOptions(gpu, settings.augmentation, settings.image_size),
        batch_size=settings.batch_size,
        num_threads=settings.threads,
        device_id=device_id,
        prefetch_queue_depth=settings.prefetch,
        exec_dynamic=True,
    )


@pipeline_def(enable_conditionals=True)
def _graph(source, augment: bool, options: GraphOptions):
    names = inputs(options.settings if augment else None)
    nodes = fn.external_source(source, num_outputs=len(names), batch=True)
    drawn = {name: nodes[index] for index, name in enumerate(names)}
    image = _decoded(drawn["image"], options, types.RGB)
    image = fn.resize(image, size=options.size, interp_type=types.INTERP_LINEAR, antialias=True)
    mask = _decoded(drawn["mask"], options, types.GRAY)
    mask = fn.resize(mask, size=options.size, interp_type=types.INTERP_NN)
    if augment:
        image, mask = _augmented(image, mask, drawn, options)
    image = fn.crop_mirror_normalize(image, dtype=types.FLOAT, output_layout="CHW", mean=[0.0], std=[255.0])
    return image, fn.cast(mask > MASK_THRESHOLD, dtype=types.FLOAT)


def _decoded(encoded, options: GraphOptions, colours):
    device = "mixed" if options.gpu else "cpu"
    return fn.decoders.image(
        encoded, device=device, output_type=colours, adjust_orientation=False, jpeg_fancy_upsampling=True
    )


def _augmented(image, mask, drawn, options: GraphOptions):
    """Image and mask after what was drawn for them, in the paper's order."""
    number = {name: drawn["numbers"][index] for index, name in enumerate(NUMBERS)}
    image, mask = _turned(image, number, options, types.INTERP_LINEAR), _turned(mask, number, options, types.INTERP_NN)
    image = _noisy(image, drawn, number, options)
    image = _blurred(image, drawn, number, options)
    image = _moved(image, drawn, number, options, types.INTERP_LINEAR)
    mask = _moved(mask, drawn, number, options, types.INTERP_NN)
    image = _contrasted(image, drawn, number, options)
    if options.settings.hue_saturation_value.probability > 0 and number["has_colour"] > 0:
        shifts = [options.here(number[name]) for name in ("hue", "saturation", "value")]
        image = shifted_colour(image, *shifts)
    return image, mask


def _turned(image, number, options: GraphOptions, interpolation):
    if number["transpose"] > 0:
        image = fn.transpose(image, perm=[1, 0, 2], transpose_layout=False)
        if options.size[0] != options.size[1]:
            image = fn.resize(image, size=options.size, interp_type=interpolation, antialias=False)
    rows = fn.cast(number["flip_rows"], dtype=types.INT32)
    columns = fn.cast(number["flip_columns"], dtype=types.INT32)
    return fn.flip(image, vertical=rows, horizontal=columns)


def _noisy(image, drawn, number, options: GraphOptions):
    if options.settings.noise.probability > 0 and number["has_noise"] > 0:
        image = fn.cast(image + options.here(drawn["noise"]), dtype=types.UINT8)
    return image


def _blurred(image, drawn, number, options: GraphOptions):
    if options.settings.blur.probability > 0:
        if number["has_blur"] > 0:
            image = fn.filter(image, options.here(drawn["blur"]))
        if number["median"] > 0:
            image = _median(image, options)
    return image


def _median(image, options: GraphOptions):
    side = options.settings.blur.size
    if options.gpu:
        return fn.experimental.median_blur(image, window_size=[side, side])
    return fn.reshape(fn.python_function(image, function=_median_of(side)), layout="HWC")


def _moved(image, drawn, number, options: GraphOptions, interpolation):
    if options.settings.shift_scale_rotate.probability > 0 and number["has_movement"] > 0:
        canvas = _mirrored(image)
        image = fn.warp_affine(canvas, matrix=drawn["movement"], size=options.size, interp_type=interpolation)
    if options.settings.distortion.probability > 0 and number["has_maps"] > 0:
        image = _remapped(image, drawn["maps"], options, interpolation)
    return image


def _mirrored(image):
    """The image in the middle of three by three of it, mirrored at the centres of its outermost pixels."""
    flipped = fn.flip(image, horizontal=1)
    wide = fn.cat(flipped[:, :-1], image, flipped[:, 1:], axis=1)
    turned = fn.flip(wide, horizontal=0, vertical=1)
    return fn.cat(turned[:-1], wide, turned[1:], axis=0)


def _remapped(image, maps, options: GraphOptions, interpolation):
    if options.gpu:
        here = maps.gpu()
        return fn.experimental.remap(image, here[0], here[1], interp=interpolation, pixel_origin="center")
    function = _remap_nearest if interpolation == types.INTERP_NN else _remap_linear
    return fn.reshape(fn.python_function(image, maps, function=function), layout="HWC")


def _contrasted(image, drawn, number, options: GraphOptions):
    settings = options.settings.contrast
    if settings.probability > 0:
        if number["clahe"] > 0:
            limit = (1 + settings.clahe_limit) / 2  # one for all images: the middle of the range
            image = fn.clahe(image, tiles_x=CLAHE_TILES, tiles_y=CLAHE_TILES, clip_limit=limit)
        if number["has_relief"] > 0:
            image = fn.filter(image, options.here(drawn["relief"]))
        if number["has_linear"] > 0:
            factor, shift = number["contrast"], number["brightness"]
            image = fn.brightness_contrast(image, contrast=factor, contrast_center=0, brightness_shift=shift)
    return image


def shifted_colour(image, hue, saturation, value):
    """An H×W×3 uint8 image, its colours shifted.

    Args:
        image: the H×W×3 uint8 node.
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


@do_not_convert
def _median_of(side: int) -> Callable[[Pixels], Pixels]:
    return lambda image: np.asarray(cv2.medianBlur(image, side), np.uint8)


@do_not_convert
def _remap_linear(image: Pixels, maps) -> Pixels:
    return remapped(image, maps, cv2.INTER_LINEAR)


@do_not_convert
def _remap_nearest(mask: Pixels, maps) -> Pixels:
    return remapped(mask[..., 0], maps, cv2.INTER_NEAREST)[..., None]
