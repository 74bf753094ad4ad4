import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from distxml.config.sources import PolygonsSource
from distxml.config.sources.polygon_figures import CIRCLE, Figure, figure_of, figures_between
from distxml.sources.polygons.shapes import Shape, coverage, hole_reach, outline
from distxml.sources.raster import polygon_mask
from tests.oracles.polygons import distance_to_line, runs_around, star_line

FIGURES = figures_between(3, 13)
SIDE = 40

places = st.floats(-5, SIDE + 5)
shapes = st.builds(
    lambda figure, x, y, reach, angle: Shape(figure, np.array([x, y]), reach, angle, np.ones(3)),
    st.sampled_from(FIGURES),
    places,
    places,
    st.floats(3, 15),
    st.floats(0, 2 * math.pi),
)


@settings(max_examples=25, deadline=None)
@given(shape=shapes)
def test_covered_pixels_against_the_winding_of_the_line(shape: Shape) -> None:
    """A pixel whose corners are all well inside is full, one that is well outside is empty."""
    p, q, centre = shape.figure.vertices, shape.figure.step, complex(*shape.centre)
    covered, line = coverage(shape, SIDE), star_line(p, q, centre, shape.reach, shape.angle)
    mask = polygon_mask(outline(shape), SIDE, SIDE)
    for y in range(0, SIDE, 3):
        for x in range(0, SIDE, 3):
            middle = complex(x + 0.5, y + 0.5)
            if distance_to_line(line, middle) > 1:
                expected = runs_around(line, middle)
                assert covered[y, x] == expected
                assert (mask[y, x] == 255) == expected


@given(figure=st.sampled_from(FIGURES))
def test_the_outline_runs_along_the_border_of_the_star(figure: Figure) -> None:
    shape = Shape(figure, np.zeros(2), 1.0, 0.3, np.ones(3))
    corners = [complex(x, y) for x, y in outline(shape)]
    line = star_line(figure.vertices, figure.step, 0j, 1.0, 0.3)
    for number in range(40):
        point = complex(math.cos(number * 2.4), math.sin(number * 2.4)) * (number + 0.5) / 40
        assert runs_around(corners, point) == runs_around(line, point)


@pytest.mark.parametrize("figure", [*FIGURES, CIRCLE], ids=str)
def test_area_and_core_of_the_outline(figure: Figure) -> None:
    x, y = outline(Shape(figure, np.zeros(2), 1.0, 0.3, np.ones(3))).T
    shoelace = abs(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y)) / 2
    assert figure.area == pytest.approx(shoelace, rel=2e-3 if figure == CIRCLE else 1e-9)
    nearest = distance_to_line([complex(*corner) for corner in zip(x, y, strict=True)], 0j)
    assert figure.core == pytest.approx(nearest, rel=2e-3 if figure == CIRCLE else 1e-9)
    assert figure.spread**2 * figure.area == pytest.approx(math.pi)


@pytest.mark.parametrize("figure", [CIRCLE, Figure(3, 1), Figure(5, 2), Figure(7, 3), Figure(12, 5)], ids=str)
def test_every_figure_of_a_radius_covers_as_many_pixels(figure: Figure) -> None:
    shape = Shape(figure, np.array([100.0, 100.0]), 40 * figure.spread, 0.3, np.ones(3))
    assert coverage(shape, 200).sum() == pytest.approx(math.pi * 40**2, rel=0.03)


def test_a_line_leaves_its_inside_free() -> None:
    for figure in (CIRCLE, Figure(3, 1), Figure(5, 2)):
        shape = Shape(figure, np.array([50.0, 50.0]), 45.0, 0.0, np.ones(3), line=3.0)
        covered = coverage(shape, 100)
        free = hole_reach(shape) * figure.core
        assert covered[50, round(50 + free - 3)] == 0
        assert covered[50, 50] == 0
        assert 0 < covered.sum() < 0.5 * figure.area * 45**2
        assert figure.core * (shape.reach - hole_reach(shape)) == pytest.approx(3)


def test_figures_between_are_those_that_can_be_written() -> None:
    writable = []
    for p in range(3, 14):
        for q in range(1, 14):
            try:
                writable.append(figure_of(f"{p}/{q}"))
            except ValueError:
                continue
    assert writable == FIGURES
    assert [str(figure) for figure in figures_between(3, 7)] == ["3/1", "4/1", "5/1", "5/2", "6/1", "7/1", "7/2", "7/3"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("5/3", "5/3 is no polygon: q must be less than p/2"),
        ("4/2", "q must be less than p/2"),
        ("6/2", "6/2 is 2 figures 3/1 on one another"),
        ("5/0", "joins no two vertices"),
        ("2/1", "has 2 vertices"),
        ("101/2", "3 to 100"),
        ("triangle", "is no figure; write circle, or p/q"),
        ("5/2/1", "is no figure"),
        ("-5/2", "is no figure"),
        ("٥/٢", "is no figure"),
        ("", "is no figure"),
    ],
)
def test_what_is_no_figure(text: str, reason: str) -> None:
    for field in ("target", "outer"):
        with pytest.raises(ValidationError, match=reason):
            PolygonsSource.model_validate({"kind": "polygons", "simplified": False, "radius": 0.05, field: text})


def test_a_number_alone_is_a_regular_polygon() -> None:
    settings_ = PolygonsSource.model_validate({"kind": "polygons", "target": 4})
    assert settings_.target == "4/1"
    assert PolygonsSource.model_validate(settings_.model_dump(mode="json")) == settings_


def test_names() -> None:
    named = [figure_of(text).name for text in ("circle", "3", "4/1", "5/2", "7", "7/3")]
    assert named == ["circle", "triangle", "square", "pentagram", "7/1 polygon", "7/3 star"]
