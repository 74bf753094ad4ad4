"""Figures: words for those who do not see them, styles that differ, colours that the page can change."""

import warnings
from itertools import combinations

import numpy as np
import pytest

from distxml.attribution.methods import METHODS
from distxml.evaluation.summary_rows import ClassCurve
from distxml.report.figure import THEME, Panel
from distxml.report.figures.classes import precision_recall_figure, roc_figure
from distxml.report.style import DASHES, class_style, class_styles, legend, method_name, method_style, shortened
from distxml.report.wording import duration, interval, number, percent, signed
from tests.unit.report.page import parse


def test_roc_of_many_points_is_thinned_but_keeps_its_ends():
    x = np.linspace(0, 1, 5000)
    curve = ClassCurve(class_name="a", x=tuple(x), y=tuple(x), area=0.5)
    picture = roc_figure((curve,)).picture
    assert picture.svg.count("\nL ") < 1000
    assert "a: area 0.500" in picture.alt


def test_many_classes_do_not_make_a_legend_that_fills_the_figure():
    curves = tuple(ClassCurve(class_name=f"class {index}", x=(0, 1), y=(1, 0), area=0.5) for index in range(60))
    lines = legend(class_styles(curve.class_name for curve in curves))
    assert [line.get_label() for line in lines[-2:]] == ["class 23", "and 36 more"]
    assert precision_recall_figure(curves).picture.alt.endswith("; and 48 more.")


def test_a_name_in_a_script_without_a_font_is_text_in_the_page_and_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        drawn = roc_figure((ClassCurve(class_name="犬 แมว", x=(0, 1), y=(0, 1), area=0.5),))
    assert "犬 แมว: area 0.500" in drawn.picture.alt


def test_words_are_in_the_font_of_the_page():
    with Panel() as panel:
        svg = panel.picture("ticks").svg
    assert svg.count("font-family: inherit") == svg.count("font-family") > 0


def test_two_figures_in_one_page_do_not_share_ids():
    ids = []
    for title in ("one", "two"):
        with Panel() as panel:
            panel.axes.fill_between([0, 1], [0, 1], [1, 2])
            page = parse(panel.picture(title).svg)
        ids.append({element.attributes["id"] for element in page.elements if "id" in element.attributes})
    assert ids[0] and not ids[0] & ids[1]


def test_words_in_a_figure_are_escaped_and_are_not_mathematics():
    with Panel() as panel:
        panel.axes.set_title("$x_1$ <script>")
        svg = panel.picture('a "quoted" <name>').svg
    assert "$x_1$ &lt;script&gt;" in svg
    assert parse(svg).elements[0].attributes["aria-label"] == 'a "quoted" <name>'


def test_colours_follow_the_page():
    with Panel() as panel:
        for color in THEME:
            panel.axes.plot([0, 1], color=color)
        svg = panel.picture("lines").svg
    for color, variable in THEME.items():
        assert color not in svg
        assert variable in svg


def test_shorter_numbers_move_no_point_by_more_than_a_hundredth():
    y = np.random.default_rng(0).uniform(size=50)
    with Panel() as panel:
        panel.axes.plot(y)
        svg = panel.picture("noise").svg
        points = panel.axes.transData.transform(np.stack([np.arange(50), y], axis=1)) * 72 / panel.figure.dpi
        height = panel.figure.get_figheight() * 72
    line = max((element.attributes.get("d", "") for element in parse(svg).all("path")), key=len)
    written = np.array([float(part) for part in line.split() if part not in "ML"]).reshape(-1, 2)
    assert np.abs(written - np.stack([points[:, 0], height - points[:, 1]], axis=1)).max() < 0.011


def test_every_method_has_a_name_and_a_look_of_its_own():
    styles = {method: method_style(method) for method in METHODS.names()}
    assert len({method_name(method) for method in styles}) == len(styles)
    for one, other in combinations(styles.values(), 2):
        assert (one.color, one.dash) != (other.color, other.dash)
    assert all(style.color in THEME and style.dash in DASHES for style in styles.values())
    strongest = max(styles, key=lambda method: styles[method].width)
    assert strongest == "in_model"
    assert [method for method, style in styles.items() if style.color == styles["in_model"].color] == ["in_model"]


def test_the_default_methods_differ_in_colour():
    colors = [method_style(method).color for method in ("in_model", "saliency", "grad_cam", "lrp", "random")]
    assert len(set(colors)) == 5


def test_classes_differ_until_there_are_more_than_looks():
    assert len({class_style(index) for index in range(24)}) == 24


@pytest.mark.parametrize(
    ("value", "text"), [(0.12345, "0.123"), (-0.5, "−0.500"), (-0.0001, "0.000"), (None, "–"), (float("nan"), "–")]
)
def test_numbers(value: float | None, text: str):
    assert number(value) == text


def test_signs_shares_and_durations_never_round_to_what_is_not_so():
    assert [signed(value) for value in (0.1, -0.1, 0.0001, -0.0001)] == ["+0.100", "−0.100", "0.000", "0.000"]
    assert [percent(share) for share in (0, 0.001, 0.5, 0.999, 1)] == ["0%", "<1%", "50%", ">99%", "100%"]
    assert [duration(seconds) for seconds in (40, 59.7, 95, 3700)] == ["40 s", "1 min 0 s", "1 min 35 s", "1 h 1 min"]
    assert interval(None, 1.0) == ""


def test_a_long_name_is_one_short_line():
    assert shortened("two\nlines  and more", 12) == "two lines a…"
