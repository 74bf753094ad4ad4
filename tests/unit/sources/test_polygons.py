import cv2
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from distxml.config.sources import PolygonsSource
from distxml.sources.polygon_drawing import GAP, draw, place_shapes
from distxml.sources.polygons import CLASSES, polygons_material

DEFAULT = PolygonsSource(kind="polygons", images=200, image_size=48)
NOISELESS = DEFAULT.model_copy(update={"noise": 0.0})
CROWDED = DEFAULT.model_copy(update={"circles": (30, 40)})


def decoded(content: bytes) -> np.ndarray:
    pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    assert pixels is not None
    return pixels


@pytest.mark.parametrize(("images", "share", "positives"), [(200, 0.5, 100), (7, 0.5, 4), (10, 0.33, 3), (9, 1, 9)])
def test_exact_share_of_positives(images: int, share: float, positives: int) -> None:
    settings_ = PolygonsSource(kind="polygons", images=images, positive_share=share)
    material = polygons_material(settings_, seed=5)
    assert material.classes == CLASSES == ("circles", "triangle")
    assert sum(item.label for item in material.items) == positives
    assert [item.key for item in material.items] == [f"polygons-{index:06d}" for index in range(images)]


def test_positives_are_spread_by_the_seed() -> None:
    labels = [[item.label for item in polygons_material(DEFAULT, seed).items] for seed in (0, 1)]
    assert labels[0] != labels[1]
    assert all(20 < sum(half) < 80 for half in (labels[0][:100], labels[1][:100]))


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32), index=st.integers(0, 10**6), with_triangle=st.booleans())
def test_an_image_is_a_function_of_seed_and_index(seed: int, index: int, with_triangle: bool) -> None:
    one, two = draw(DEFAULT, seed, index, with_triangle), draw(DEFAULT, seed, index, with_triangle)
    assert np.array_equal(one.image, two.image)
    assert np.array_equal(one.mask, two.mask)
    assert not np.array_equal(one.image, draw(DEFAULT, seed, index + 1, with_triangle).image)
    assert not np.array_equal(one.image, draw(DEFAULT, seed + 1, index, with_triangle).image)


def test_rows_are_png_of_the_size_asked_for_with_binary_masks() -> None:
    items = polygons_material(DEFAULT, seed=0).items
    for item in items[:20]:
        row = item.row()
        image, mask = decoded(row.image), decoded(row.mask or b"")
        assert image.shape == (48, 48, 3)
        assert mask.shape == (48, 48)
        assert set(np.unique(mask)) == ({0, 255} if item.label else {0})


@settings(max_examples=25, deadline=None)
@given(index=st.integers(0, 10**6))
def test_the_mask_is_the_box_of_what_the_triangle_changes(index: int) -> None:
    """Oracle: a second drawing without shapes but for the triangle, compared with the bare background."""
    alone = NOISELESS.model_copy(update={"circles": (1, 1)})
    drawing = draw(alone, 0, index, with_triangle=True)
    background = drawing.image[0, 0] if not drawing.mask[0, 0] else drawing.image[-1, -1]
    ys, xs = np.nonzero((drawing.image != background).any(axis=2))
    box_ys, box_xs = np.nonzero(drawing.mask)
    assert (box_ys.min(), box_ys.max(), box_xs.min(), box_xs.max()) == (ys.min(), ys.max(), xs.min(), xs.max())
    assert drawing.mask.astype(bool).sum() == (np.ptp(ys) + 1) * (np.ptp(xs) + 1)


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32), with_triangle=st.booleans())
@example(seed=62540321, with_triangle=True)  # a first layout that leaves no place for the last circle
def test_shapes_lie_apart_and_inside(seed: int, with_triangle: bool) -> None:
    shapes = place_shapes(DEFAULT, np.random.default_rng(seed), with_triangle)
    assert 3 <= len(shapes) <= 5
    assert [shape.is_triangle for shape in shapes] == [with_triangle] + [False] * (len(shapes) - 1)
    for number, shape in enumerate(shapes):
        assert np.all(shape.centre >= shape.reach)
        assert np.all(shape.centre <= 48 - shape.reach)
        for other in shapes[:number]:
            assert np.linalg.norm(shape.centre - other.centre) >= shape.reach + other.reach + GAP


def test_number_and_colours_of_shapes_do_not_depend_on_the_class() -> None:
    for seed in range(50):
        with_one, without = (place_shapes(DEFAULT, np.random.default_rng(seed), flag) for flag in (True, False))
        assert len(with_one) == len(without)
        assert all(np.array_equal(one.colour, two.colour) for one, two in zip(with_one, without, strict=True))


def test_the_triangle_covers_as_much_as_the_circle_in_its_place() -> None:
    single = NOISELESS.model_copy(update={"circles": (1, 1), "image_size": 256})
    areas = []
    for with_triangle in (True, False):
        image = draw(single, 3, 1, with_triangle).image.astype(float)
        areas.append(np.abs(image - image[0, 0]).sum())
    assert areas[0] == pytest.approx(areas[1], rel=0.03)


def test_more_shapes_than_fit_still_show_the_triangle() -> None:
    one, two = (draw(CROWDED, 0, 3, with_triangle=True) for _ in range(2))
    assert np.array_equal(one.image, two.image)
    assert one.mask.any()
