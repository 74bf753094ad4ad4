"""Draws follow the settings, kernels and maps are what they say, and masks follow their images."""

from collections import Counter

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pydantic import ValidationError

from distxml.config.augmentation import AugmentationSettings
from distxml.data.augment import maps
from distxml.data.augment.draw import UNCHANGED, Draw, Noise, Orientation, draw
from distxml.data.augment.opencv import (
    Augmenter,
    OpenCvBackend,
    augmented_image,
    augmented_mask,
    oriented,
    remapped,
)
from distxml.data.rows import Sample
from tests.oracles import triangles as oracle
from tests.unit.data.sample_rows import GEOMETRIC, PIXELWISE, alone, loader_settings, run, shape, shape_row

LINEAR, NEAREST = 1, 0  # OpenCV's numbers
STEPS = {"rows": np.flipud, "columns": np.fliplr, "transpose": np.transpose}


@given(steps=st.lists(st.sampled_from(sorted(STEPS)), max_size=8))
def test_turns_compose_as_arrays_do(steps: list[str]) -> None:
    expected, turn = np.arange(16, dtype=np.uint8).reshape(4, 4), Orientation()
    start = expected
    for step in steps:
        expected = STEPS[step](expected)
        turn = {"rows": turn.then_flip_rows, "columns": turn.then_flip_columns, "transpose": turn.then_transpose}[
            step
        ]()
    assert np.array_equal(oriented(start, turn, NEAREST), expected)


def test_a_quarter_turn_is_drawn_in_all_four_ways() -> None:
    start = shape(8, 8)
    seen = {augmented_mask(start, draw(alone("quarter_turn"), (8, 8), 0, 0, str(key))).tobytes() for key in range(60)}
    assert seen == {np.rot90(start, times).tobytes() for times in range(4)}


def test_a_flip_is_one_of_three_for_half_of_the_images() -> None:
    start, count = shape(8, 8), 1200
    only = AugmentationSettings.model_validate({"preset": "none", "probability": 1, "flip": {"probability": 0.5}})
    seen = Counter(augmented_mask(start, draw(only, (8, 8), 0, 0, str(key))).tobytes() for key in range(count))
    expected = [(start, 1 / 2), *((way, 1 / 6) for way in (np.fliplr(start), np.flipud(start), np.rot90(start, 2)))]
    assert sum(seen[way.tobytes()] for way, _ in expected) == count
    for way, share in expected:
        assert abs(seen[way.tobytes()] / count - share) < 4 * np.sqrt(share * (1 - share) / count)


def test_the_published_set_flips_once_and_the_others_each_way() -> None:
    flips = ("flip", "horizontal_flip", "vertical_flip")
    found = {
        preset: [getattr(AugmentationSettings.model_validate(given), name).probability for name in flips]
        for preset, given in [("unset", {}), *((name, {"preset": name}) for name in ("paper", "flips", "none"))]
    }
    assert found == {"unset": [0.5, 0, 0], "paper": [0.5, 0, 0], "flips": [0, 0.5, 0.5], "none": [0, 0, 0]}


def test_presets_set_probabilities_and_given_values_win() -> None:
    paper, flips = AugmentationSettings(), AugmentationSettings(preset="flips")
    assert flips.blur.probability == 0 and flips.blur.size == paper.blur.size
    assert flips.transpose.probability == paper.transpose.probability == 0.5
    mixed = AugmentationSettings.model_validate({"preset": "flips", "blur": {"probability": 0.3}, "noise": {}})
    assert mixed.blur.probability == 0.3 and mixed.noise.probability == 0
    assert AugmentationSettings.model_validate(mixed.model_dump()) == mixed


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"blur": {"motion": 0, "median": 0, "box": 0}}, "motion, median, box"),
        ({"blur": {"size": 4}}, "odd"),
        ({"distortion": {"optical": 0, "grid": 0, "piecewise_affine": 0}}, "optical, grid, piecewise_affine"),
        ({"distortion": {"affine_scale": [0.05, 0.03]}}, "smaller first"),
        ({"noise": {"std": [0.2, 0.1]}}, "smaller first"),
        ({"nois": {}}, "nois"),
    ],
)
def test_impossible_settings_are_refused(values: dict[str, object], named: str) -> None:
    with pytest.raises(ValidationError, match=named):
        AugmentationSettings.model_validate(values)


def test_operations_come_as_often_as_the_settings_say() -> None:
    paper, count = AugmentationSettings(probability=0.5), 4000
    draws = [draw(paper, (16, 16), 0, 0, str(key)) for key in range(count)]
    augmented = [one for one in draws if one is not UNCHANGED]
    shares = {
        "augmented": (len(augmented) / count, 0.5),
        "noise": (np.mean([one.noise is not None for one in augmented]), 0.2),
        "box or motion": (np.mean([one.blur is not None for one in augmented]), 0.2 * 0.75),
        "median": (np.mean([one.median > 0 for one in augmented]), 0.2 * 0.25),
        "movement": (np.mean([one.movement is not None for one in augmented]), 0.2),
        "distortion": (np.mean([one.maps is not None for one in augmented]), 0.2),
        "clahe": (np.mean([one.clahe > 0 for one in augmented]), 0.3 / 4),
        "relief": (np.mean([one.relief is not None for one in augmented]), 0.3 / 2),
        "colour": (np.mean([one.colour is not None for one in augmented]), 0.3),
    }
    for name, (found, expected) in shares.items():
        assert abs(found - expected) < 4 * np.sqrt(expected * (1 - expected) / len(augmented)), name


def test_a_draw_depends_on_seed_epoch_and_key() -> None:
    def lay(seed: int, epoch: int, key: str) -> bytes:
        return augmented_image(np.dstack([shape(32, 32)] * 3), draw(settings_, (32, 32), seed, epoch, key)).tobytes()

    settings_ = alone("shift_scale_rotate")
    assert lay(0, 0, "a") == lay(0, 0, "a")
    assert len({lay(0, 0, "a"), lay(1, 0, "a"), lay(0, 1, "a"), lay(0, 0, "b")}) == 4


@given(std=st.floats(1, 60), seed=st.integers(0, 2**60))
@settings(max_examples=10)
def test_noise_has_its_standard_deviation(std: float, seed: int) -> None:
    field = Noise(std, seed).field((100, 100)).astype(float)
    assert abs(field.mean()) < 5 * std / np.sqrt(field.size)
    assert abs(field.std() / std - 1) < 0.03 + 0.05 / std**2  # rounding to grey levels adds 1/12


@given(degrees=st.sampled_from([0, 90, 180, 270]), x=st.integers(-3, 3), y=st.integers(-3, 3))
def test_a_movement_is_a_rotation_and_then_a_shift(degrees: int, x: int, y: int) -> None:
    side = 21
    image = shape(side, side)
    matrix = maps.movement((side, side), (x / side, y / side), 1.0, degrees)
    found = augmented_mask(image, Draw(movement=matrix))
    expected = np.roll(np.rot90(image, -degrees // 90), (y, x), (0, 1))
    inside = (slice(3, -3), slice(3, -3))
    assert np.array_equal(found[inside], expected[inside])


def test_a_movement_scales() -> None:
    image = shape(64, 64)
    for scale in (0.8, 1.25):
        found = augmented_mask(image, Draw(movement=maps.movement((64, 64), (0, 0), scale, 0)))
        assert abs(found.mean() / image.mean() / scale**2 - 1) < 0.05


@given(
    widths=st.lists(st.floats(0.5, 1.5), min_size=5, max_size=5),
    k=st.floats(-0.5, 0.5),
    height=st.integers(5, 40),
    width=st.integers(5, 40),
)
def test_distortions_stay_inside_and_keep_the_order(widths: list[float], k: float, height: int, width: int) -> None:
    for x, y in (maps.grid_maps((height, width), np.array(widths), np.ones(5)), maps.lens_maps((height, width), k)):
        assert x.shape == y.shape == (height, width)
        assert x.min() >= 0 and x.max() <= width - 1 and y.min() >= 0 and y.max() <= height - 1
    x, _ = maps.grid_maps((height, width), np.array(widths), np.ones(5))
    assert (np.diff(x, axis=1) > 0).all() and x[0, 0] == 0 and np.isclose(x[0, -1], width - 1)


@given(k=st.floats(-0.3, 0.3), height=st.integers(8, 40), width=st.integers(8, 40))
def test_the_lens_is_opencvs_camera_model(k: float, height: int, width: int) -> None:
    camera = np.array([[width, 0, (width - 1) / 2], [0, height, (height - 1) / 2], [0, 0, 1]])
    coefficients = np.array([k, k, 0, 0, 0])
    expected = cv2.initUndistortRectifyMap(camera, coefficients, np.eye(3), camera, (width, height), cv2.CV_32FC1)
    for found, right, side in zip(maps.lens_maps((height, width), k), expected, (width, height), strict=True):
        inside = (right >= 0) & (right <= side - 1)
        assert np.abs(found - right)[inside].max() < 1e-3


def test_distortions_without_strength_change_nothing() -> None:
    image, size = shape(24, 32), (24, 32)
    none = maps.lens_maps(size, 0.0), maps.grid_maps(size, np.ones(5), np.ones(5))
    for still in (*none, maps.piecewise_affine_maps(size, np.zeros((2, 4, 3)))):
        assert np.array_equal(remapped(image, still, NEAREST), image)


@given(
    movements=arrays(
        np.float64, st.tuples(st.just(2), st.integers(2, 5), st.integers(2, 5)), elements=st.floats(-0.2, 0.2)
    ),
    height=st.integers(5, 20),
    width=st.integers(5, 20),
)
@settings(max_examples=20)
def test_a_piecewise_affine_map_is_affine_in_each_triangle(movements: np.ndarray, height: int, width: int) -> None:
    found = maps.piecewise_affine_maps((height, width), movements)
    assert np.abs(found - oracle.piecewise_affine(height, width, movements)).max() < 1e-4
    assert found.min() >= 0 and found[0].max() <= width - 1 and found[1].max() <= height - 1


def test_points_move_by_the_standard_deviation_that_is_set() -> None:
    strong = alone("distortion/piecewise_affine", affine_scale=[0.05, 0.05], affine_points=3)
    centres = [maps_of(strong, str(key))[:, 10, 20] - (20, 10) for key in range(400)]  # of 21×41 pixels: not clipped
    assert np.std(centres, axis=0) == pytest.approx([0.05 * 41, 0.05 * 21], rel=0.15)


def maps_of(settings_: AugmentationSettings, key: str) -> np.ndarray:
    found = draw(settings_, (21, 41), 0, 0, key).maps
    assert found is not None
    return found


@given(size=st.sampled_from([3, 5, 7]), radians=st.floats(0, 6.3), begin=st.floats(-1, 0), end=st.floats(0, 1))
def test_blurs_keep_the_brightness(size: int, radians: float, begin: float, end: float) -> None:
    for kernel in (maps.motion_kernel(size, radians, begin, end), maps.box_kernel(size)):
        assert kernel.shape == (size, size) and np.isclose(kernel.sum(), 1) and kernel.min() >= 0


def test_brightness_and_contrast_follow_their_formula() -> None:
    image = np.arange(256, dtype=np.uint8).repeat(3).reshape(16, 16, 3)
    found = augmented_image(image, Draw(contrast=1.2, brightness=-0.1))
    assert np.abs(found - np.clip(image * 1.2 - 25.5, 0, 255)).max() <= 0.5


@pytest.mark.parametrize("operation", sorted(GEOMETRIC))
@given(seed=st.integers(0, 10_000))
@settings(max_examples=15)
def test_image_and_mask_stay_aligned(operation: str, seed: int) -> None:
    backend = OpenCvBackend(loader_settings(alone(operation)), seed)
    (batch,) = run(backend, [shape_row(str(key)) for key in range(4)], 0)
    image, mask = batch.image[:, :1] > 0.5, batch.mask > 0.5
    assert ((image & mask).sum() / (image | mask).sum()).item() > 0.93
    moved = (mask != mask[:1]).any() or (mask[0, 0].numpy() * 255 != shape(64, 64)).any()
    assert moved or operation not in {"shift_scale_rotate", "distortion/grid", "distortion/piecewise_affine"}


@pytest.mark.parametrize("operation", sorted(PIXELWISE))
def test_colour_and_noise_touch_the_image_alone(operation: str) -> None:
    image = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    out = Augmenter(alone(operation), 0)(Sample("k", 0, image, shape(32, 32) // 255), 0)
    assert out.mask is not None and np.array_equal(out.mask, shape(32, 32) // 255)
    assert not np.array_equal(out.image, image)
    assert out.image.shape == image.shape and out.image.dtype == np.uint8
