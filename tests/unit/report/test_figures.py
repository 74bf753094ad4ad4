"""Figures: words for those who do not see them, bands around means, colours that the page can change."""

import numpy as np
import pyarrow as pa
import pytest

from distxml.config.evaluation import EvaluationSettings
from distxml.evaluation.results import CURVES_SCHEMA, ClassCurve, Results, Scored, Summary
from distxml.report.evaluation_figures import mean_curves, method_look, method_name, roc_figure
from distxml.report.figure import THEME, Panel
from distxml.report.wording import duration, interval, number, percent
from tests.unit.report.page import parse


def _results(f: np.ndarray) -> Results:
    """Results with one in-model curve an image."""
    shared = {"label": 0, "target": 0, "patch_size": 8, "fill": "black", "steps": f.shape[1] - 1}
    rest = {"method": "in_model", "aopc": 0.0, "tie_share": 0.0}
    rows = [{"key": str(index), "f": curve.tolist(), **shared, **rest} for index, curve in enumerate(f)]
    scored = Scored(checkpoint="c", sha256="0", classifier="vgg", image_size=(8, 8), training_finished=True)
    summary = Summary(
        made_by="a test",
        scored=scored,
        dataset_path="d",
        dataset_name="d",
        dataset_sha256="0",
        split="test",
        images=len(f),
        annotated=0,
        curve_images=len(f),
        settings=EvaluationSettings(bootstrap=2000),
        left_out_patch_sizes=(),
        seed=0,
        classes=("a", "b"),
        metrics=(),
        aopc=(),
        aopc_overall=(),
        versus_random=(),
        roc=(),
        precision_recall=(),
        confusion=((len(f), 0), (0, 0)),
    )
    return Results(summary, pa.table({}), pa.Table.from_pylist(rows, CURVES_SCHEMA))


def test_band_is_the_interval_of_the_mean():
    f = np.random.default_rng(0).uniform(size=(400, 5))
    band = mean_curves(_results(f), 8, "black")["in_model"]
    half_width = 1.96 * f.std(0, ddof=1) / np.sqrt(len(f))  # what the bootstrap must come close to
    assert band.mean == pytest.approx(f.mean(0))
    assert band.low == pytest.approx(f.mean(0) - half_width, abs=0.2 * half_width.max())
    assert band.high == pytest.approx(f.mean(0) + half_width, abs=0.2 * half_width.max())


def test_band_of_one_image_is_its_curve():
    band = mean_curves(_results(np.array([[0.9, 0.5]])), 8, "black")["in_model"]
    assert band.low.tolist() == band.mean.tolist() == band.high.tolist() == [0.9, 0.5]


def test_roc_of_many_points_is_thinned_but_keeps_its_ends():
    x = np.linspace(0, 1, 5000)
    curve = ClassCurve(class_name="a", x=tuple(x), y=tuple(x), area=0.5)
    picture = roc_figure((curve,))
    assert picture.svg.count("\nL ") < 1000
    assert "a: area 0.500" in picture.alt


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


def test_a_method_that_the_report_does_not_know_has_a_name_and_a_look():
    assert method_name("grad_cam") == "grad cam"
    assert method_look("grad_cam")[0] in THEME


@pytest.mark.parametrize(
    ("value", "text"), [(0.12345, "0.123"), (-0.5, "−0.500"), (-0.0001, "0.000"), (None, "–"), (float("nan"), "–")]
)
def test_numbers(value: float | None, text: str):
    assert number(value) == text


def test_shares_and_durations_never_round_to_what_is_not_so():
    assert [percent(share) for share in (0, 0.001, 0.5, 0.999, 1)] == ["0%", "<1%", "50%", ">99%", "100%"]
    assert [duration(seconds) for seconds in (40, 59.7, 95, 3700)] == ["40 s", "1 min 0 s", "1 min 35 s", "1 h 1 min"]
    assert interval(None, 1.0) == ""
