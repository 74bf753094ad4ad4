import cv2
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from distxml.config.images import ImageRules
from distxml.config.sources import PolygonsSource
from distxml.config.sources.polygon_figures import figure_of
from distxml.config.sources.polygons import GAP
from distxml.errors import UserError
from distxml.sources.polygons.drawing import draw
from distxml.sources.polygons.layout import UP, Scene
from distxml.sources.polygons.shapes import Shape, coverage, hole_reach, outline
from distxml.sources.polygons.source import class_names, polygons_material
from tests.oracles.polygons import runs_around


def source(**changes: object) -> PolygonsSource:
    return PolygonsSource.model_validate({"kind": "polygons", "images": 200, "image_size": 48} | changes)


DEFAULT = source()
OUTER = {"simplified": False, "target": "4/1", "outer": "circle", "radius": (0.06, 0.08)}
KINDS = {
    "triangle": {},
    "pentagram": {"simplified": False, "target": "5/2"},
    "circle": {"simplified": False, "target": "circle", "circles": False},
    "square in circle": OUTER,
    "circle in circle": OUTER | {"target": "circle"},
    "square in triangle": OUTER | {"outer": "3/1"},
}
kinds = st.sampled_from(sorted(KINDS)).map(lambda kind: KINDS[kind])
seeds = st.integers(0, 2**32)
any_settings = st.builds(
    lambda kind, overlap, occlusion, size: source(**kind, overlap=overlap, occlusion=occlusion, image_size=size),
    kinds,
    st.booleans(),
    st.booleans(),
    st.sampled_from([32, 48, 64]),
)


DEMO = [("3/1", 27.068, 30.603), ("circle", 33.623, 9.586), ("circle", 9.875, 9.698)]


def decoded(content: bytes) -> np.ndarray:
    pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    assert pixels is not None
    return pixels


def scene_of(settings_: PolygonsSource, seed: int, positive: bool) -> Scene:
    return draw(settings_, seed, 0, positive).scene


@pytest.mark.parametrize(("images", "share", "positives"), [(200, 0.5, 100), (7, 0.5, 4), (10, 0.33, 3), (9, 1, 9)])
def test_exact_share_of_positives(images: int, share: float, positives: int) -> None:
    material = polygons_material(source(images=images, positive_share=share), seed=5)
    assert material.classes == ("circles", "triangle")
    assert material.drawn
    assert sum(item.label for item in material.items) == positives
    assert [item.key for item in material.items] == [f"polygons-{index:06d}" for index in range(images)]


@given(images=st.integers(1, 60), targets=st.integers(0, 60), seed=seeds)
def test_exact_number_of_targets(images: int, targets: int, seed: int) -> None:
    if targets > images:
        with pytest.raises(ValidationError, match=f"targets: {targets} is not between 0 and the {images} images"):
            source(images=images, targets=targets)
    else:
        items = polygons_material(source(images=images, targets=targets, positive_share=0.9), seed).items
        assert sum(item.label for item in items) == targets


def test_random_targets_come_by_chance_and_by_index_alone() -> None:
    whole = polygons_material(source(images=400, targets="random", positive_share=0.3), 0).items
    assert 80 < sum(item.label for item in whole) < 160
    part = polygons_material(source(images=50, targets="random", positive_share=0.3, start_index=100), 0).items
    assert [(item.key, item.label) for item in part] == [(item.key, item.label) for item in whole[100:150]]


def test_the_start_index_shifts_the_keys_and_an_index_keeps_its_image() -> None:
    first = polygons_material(source(images=6, targets=6), 3).items
    shifted = polygons_material(source(images=4, targets=4, start_index=4), 3).items
    assert [item.key for item in shifted] == [f"polygons-{index:06d}" for index in range(4, 8)]
    for one, two in zip(first[4:], shifted[:2], strict=True):
        assert one.row(ImageRules()) == two.row(ImageRules())


def test_positives_are_spread_by_the_seed() -> None:
    labels = [[item.label for item in polygons_material(DEFAULT, seed).items] for seed in (0, 1)]
    assert labels[0] != labels[1]
    assert all(20 < sum(half) < 80 for half in (labels[0][:100], labels[1][:100]))


@settings(max_examples=25, deadline=None)
@given(settings_=any_settings, seed=seeds, index=st.integers(0, 10**6), positive=st.booleans())
def test_an_image_is_a_function_of_seed_and_index(
    settings_: PolygonsSource, seed: int, index: int, positive: bool
) -> None:
    one, two = draw(settings_, seed, index, positive), draw(settings_, seed, index, positive)
    assert np.array_equal(one.image, two.image)
    assert np.array_equal(one.mask, two.mask)
    assert not np.array_equal(one.image, draw(settings_, seed, index + 1, positive).image)
    assert not np.array_equal(one.image, draw(settings_, seed + 1, index, positive).image)


def test_the_first_image_of_the_demo_is_what_the_measured_figures_were_measured_on() -> None:
    scene = draw(DEFAULT, 0, 0, positive=True).scene
    assert [(str(shape.figure), *shape.centre.round(3)) for shape in scene.shapes] == DEMO


@pytest.mark.parametrize("mask", ["box", "polygon"])
@pytest.mark.parametrize("kind", KINDS)
def test_rows_are_png_of_the_size_asked_for_with_binary_masks(kind: str, mask: str) -> None:
    for size in (24 if kind == "square in triangle" else 16, 48):
        settings_ = source(**KINDS[kind] | {"radius": 0.07, "image_size": size, "mask": mask})
        for item in polygons_material(settings_, seed=0).items[:20]:
            row = item.row(ImageRules())
            assert decoded(row.image).shape == (size, size, 3)
            pixels = decoded(row.mask or b"")
            assert pixels.shape == (size, size)
            assert set(np.unique(pixels)) == ({0, 255} if item.label else {0})


@settings(max_examples=25, deadline=None)
@given(index=st.integers(0, 10**6), kind=st.sampled_from(["triangle", "pentagram", "circle"]))
def test_the_mask_is_the_box_of_what_the_target_changes(index: int, kind: str) -> None:
    """Oracle: a drawing without noise or shapes but for the target, compared with the bare background."""
    alone = source(**KINDS[kind], shapes=1, noise=0)
    drawing = draw(alone, 0, index, positive=True)
    background = drawing.image[0, 0] if not drawing.mask[0, 0] else drawing.image[-1, -1]
    ys, xs = np.nonzero((drawing.image != background).any(axis=2))
    box_ys, box_xs = np.nonzero(drawing.mask)
    assert abs(box_ys.min() - ys.min()) + abs(box_ys.max() - ys.max()) <= 2  # a faint edge may round to nothing
    assert abs(box_xs.min() - xs.min()) + abs(box_xs.max() - xs.max()) <= 2
    assert drawing.mask.astype(bool).sum() == (np.ptp(box_ys) + 1) * (np.ptp(box_xs) + 1)
    polygon = draw(alone.model_copy(update={"mask": "polygon"}), 0, index, positive=True).mask
    assert np.array_equal(drawing.image, draw(alone, 0, index, positive=True).image)
    assert not np.any((drawing.image != background).any(axis=2) & (cv2.dilate(polygon, np.ones((3, 3))) == 0))
    assert polygon.sum() <= drawing.mask.sum() * 1.1


@settings(max_examples=60, deadline=None)
@given(settings_=any_settings, seed=seeds, positive=st.booleans())
@example(settings_=DEFAULT, seed=62540321, positive=True)
def test_shapes_lie_apart_and_inside_unless_they_may_not(settings_: PolygonsSource, seed: int, positive: bool) -> None:
    scene = scene_of(settings_, seed, positive)
    side = settings_.image_size
    assert 3 <= len(scene.bottom_up) <= 5
    for number, shape in enumerate(scene.shapes):
        held = settings_.occlusion and not (settings_.outer and number == 0)
        margin = 0 if held else shape.reach
        assert np.all(shape.centre >= margin)
        assert np.all(shape.centre <= side - margin)
        for earlier, other in enumerate(scene.shapes[:number]):
            if not settings_.overlap or (settings_.outer and earlier == 0):
                assert np.linalg.norm(shape.centre - other.centre) >= shape.reach + other.reach + GAP


def test_overlap_and_occlusion_do_happen_where_they_may() -> None:
    crowded = [scene_of(source(shapes=12, overlap=True), seed, True).shapes for seed in range(5)]
    assert all(
        any(np.linalg.norm(one.centre - two.centre) < one.reach for one in shapes for two in shapes if one is not two)
        for shapes in crowded
    )
    cut = [scene_of(source(occlusion=True), seed, True).shapes for seed in range(30)]
    assert any(np.any(shape.centre < shape.reach) for shapes in cut for shape in shapes)


@settings(max_examples=40, deadline=None)
@given(settings_=any_settings, seed=seeds, positive=st.booleans())
def test_what_makes_an_image_positive(settings_: PolygonsSource, seed: int, positive: bool) -> None:
    """With an outer polygon: exactly the positive ones have a target wholly inside it, and all have one somewhere."""
    scene, target = scene_of(settings_, seed, positive), figure_of(settings_.target)
    found = [shape for shape in scene.bottom_up if shape.figure == target and shape.line is None]
    if settings_.outer is None:
        assert len(found) == positive
        assert scene.region is (found[0] if positive else None)
        return
    outer = scene.shapes[0]
    assert len(found) == 1
    assert _encloses(outer, found[0]) == positive
    assert scene.inside is not None
    assert _encloses(outer, scene.inside)
    assert scene.region is (outer if positive else None)


def _encloses(outer: Shape, shape: Shape) -> bool:
    """Every corner inside the outer polygon's hole, and not a pixel in common with its line."""
    free = Shape(outer.figure, outer.centre, hole_reach(outer), outer.angle, outer.colour)
    hole = [complex(*corner) for corner in outline(free)]
    inside = [runs_around(hole, complex(*corner)) for corner in outline(shape)]
    assert all(inside) or not any(inside)
    return all(inside)


@pytest.mark.parametrize("kind", KINDS)
def test_number_places_and_colours_of_shapes_do_not_depend_on_the_class(kind: str) -> None:
    settings_ = source(**KINDS[kind], overlap=True, occlusion=True)  # so that the first layout is taken
    for seed in range(30):
        one, two = (scene_of(settings_, seed, flag).bottom_up for flag in (True, False))
        assert len(one) == len(two)
        if settings_.outer is None:
            for first, second in zip(one, two, strict=True):
                assert np.array_equal(first.colour, second.colour)
                assert first.reach / first.figure.spread == pytest.approx(second.reach / second.figure.spread)


def test_the_target_covers_as_much_as_the_circle_in_its_place() -> None:
    for target in ("3/1", "5/2", "7/3"):
        single = source(shapes=1, noise=0, image_size=256, target=target)
        images = [draw(single, 3, 1, positive).image.astype(float) for positive in (True, False)]
        areas = [np.abs(image - image[0, 0]).sum() for image in images]
        assert areas[0] == pytest.approx(areas[1], rel=0.03)


def test_without_rotation_a_vertex_points_up() -> None:
    for shape in scene_of(source(rotation=False, **OUTER), 0, True).bottom_up:
        assert shape.angle == UP
        corners = outline(shape)
        assert corners[np.argmin(corners[:, 1])] == pytest.approx(shape.centre - [0, shape.reach])


def test_colours_that_are_asked_for() -> None:
    white = source(background=(1, 1, 1), target_colour=(1, 0, 0), noise=0, occlusion=False)
    drawing = draw(white, 0, 0, positive=True)
    x, y = drawing.scene.shapes[0].centre.astype(int)
    assert drawing.image[y, x].tolist() == [255, 0, 0]
    others = sum(coverage(shape, 48) for shape in drawing.scene.shapes)
    assert np.all(drawing.image[others == 0] == 255)
    assert all(shape.colour.max() <= 0.45 for shape in drawing.scene.shapes[1:])


def test_noise_has_the_standard_deviation_asked_for() -> None:
    flat = source(background=(0.5, 0.5, 0.5), shapes=1, noise=0.1, image_size=128)
    drawing = draw(flat, 0, 0, positive=False)
    bare = drawing.image[coverage(drawing.scene.shapes[0], 128) == 0] / 255
    assert bare.std() == pytest.approx(0.1, rel=0.03)
    assert bare.mean() == pytest.approx(0.5, abs=0.01)


def test_simplified_has_nothing_but_circles_beside_the_target() -> None:
    simple = {str(shape.figure) for seed in range(20) for shape in scene_of(source(target="5/2"), seed, True).shapes}
    assert simple == {"5/2", "circle"}
    chosen = source(simplified=False, vertices=(4, 5), circles=False)
    figures = {str(shape.figure) for seed in range(40) for shape in scene_of(chosen, seed, False).shapes}
    assert figures == {"4/1", "5/1", "5/2"}


def test_class_names_come_from_the_figures() -> None:
    assert class_names(source(target="4/1")) == ("circles", "square")
    assert class_names(source(**KINDS["pentagram"])) == ("no pentagram", "pentagram")
    assert class_names(source(**OUTER)) == ("no square in circle", "square in circle")


def test_more_shapes_than_fit_are_an_error_that_says_what_to_do() -> None:
    with pytest.raises(UserError, match=r"source.shapes: image 7: no room .*; set source.overlap=true, fewer"):
        draw(source(shapes=3, radius=0.25), 0, 7, positive=True)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"outer": "circle"}, "outer: a simplified dataset has no outer polygon; set simplified=false"),
        ({"target": "circle"}, "target: a circle among circles is no target"),
        ({"circles": False}, "circles: no other shape is left"),
        ({"simplified": False, "circles": False, "vertices": 3}, "circles: no other shape is left"),
        ({"simplified": False, "vertices": (2, 5)}, "vertices: .2, 5. must lie within 3"),
        ({"shapes": 0}, "shapes: the fewest must be at least 1, for the target"),
        ({"shapes": (5, 3)}, "shapes: .5, 3. is not a range"),
        (OUTER | {"shapes": 2}, "shapes: the fewest must be at least 3, for an outer polygon"),
        ({"shapes": 60}, "shapes: 60 of radius 0.08 do not fit without overlap; set overlap=true"),
        (OUTER | {"outer": "7/3"}, "radius: an outer 7/3 .* is larger than the image; at most 0.0"),
        ({"radius": (0.01, 0.1)}, "less than one pixel"),
        ({"radius": 0.3}, "at most 0.25"),
        ({"targets": 201}, "targets: 201 is not between 0 and the 200 images"),
        ({"target_colour": (0.1, 0.1, 0.3)}, "target_colour: .* does not stand out"),
        ({"background": (1, 1, 1), "target_colour": (1, 0.95, 1)}, "target_colour: .* does not stand out"),
        ({"background": (255, 0, 0)}, "less than or equal to 1"),
    ],
)
def test_impossible_settings_are_refused_with_the_reason(changes: dict[str, object], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        source(**changes)


def test_the_largest_radius_that_an_outer_polygon_is_said_to_have_room_for_has_room() -> None:
    for outer in ("circle", "3/1", "5/2"):
        with pytest.raises(ValidationError) as caught:
            source(**OUTER | {"outer": outer, "radius": 0.25})
        most = float(str(caught.value).split("at most ")[1].split()[0])
        assert source(**OUTER | {"outer": outer, "radius": most - 0.001})
        with pytest.raises(ValidationError):
            source(**OUTER | {"outer": outer, "radius": most + 0.002})


@pytest.mark.parametrize("kind", KINDS)
def test_settings_read_back_as_they_were_written(kind: str) -> None:
    settings_ = source(**KINDS[kind], shapes=4, targets="random", background=(0, 0, 0.5))
    assert settings_.shapes == (4, 4)
    assert PolygonsSource.model_validate(settings_.model_dump(mode="json")) == settings_
