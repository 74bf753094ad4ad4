"""The paper's grid: its lines are the tables' means, its bands the means' intervals."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from distxml.attribution.methods import METHODS
from distxml.config.evaluation import Fill, Method, Order
from distxml.evaluation.perturbation.areas import aopc_by_steps
from distxml.evaluation.results import Results
from distxml.evaluation.tables import CURVES_SCHEMA
from distxml.report.figure import Panel
from distxml.report.figures.curves import (
    Curves,
    MeanCurve,
    Setting,
    aopc_grid,
    band_in_words,
    banded,
    curve_sets,
    draw_setting,
    mean_curves,
    of_order,
    perturbation_grid,
)
from distxml.report.style import method_style
from tests.unit.report.page import parse

SETTING = Setting(8, "black")


def mean_f(sets: Sequence[Curves], *, over_share: bool = False) -> Mapping[Setting, Mapping[Method, MeanCurve]]:
    return mean_curves(sets, lambda curves: curves.f, over_share)


def of_table(table: pa.Table, method: Method, setting: Setting, order: Order) -> np.ndarray:
    """images×(L+1), the slow way."""
    place = (method, setting.patch_size, setting.fill, order)
    rows = [row for row in table.to_pylist() if (row["method"], row["patch_size"], row["fill"], row["order"]) == place]
    return np.array([row["f"] for row in rows])


def test_sets_are_the_rows_of_the_table(full_results: Results):
    sets = curve_sets(full_results.curves, 1)
    assert len(sets) == len(full_results.summary.aopc)
    for curves in sets:
        assert (curves.f == of_table(full_results.curves, curves.method, curves.setting, curves.order)).all()


def test_lines_are_the_means_of_the_table(full_results: Results):
    summary = full_results.summary
    means = mean_f(of_order(curve_sets(full_results.curves, 1), "lerf"), over_share=True)
    settings = {Setting(row.patch_size, row.fill) for row in summary.aopc}
    assert set(means) == settings
    for setting, by_method in means.items():
        assert set(by_method) == set(summary.settings.methods)
        for method, curve in by_method.items():
            order: Order = "morf" if method == "random" else "lerf"
            assert curve.mean == pytest.approx(of_table(full_results.curves, method, setting, order).mean(0))
            assert curve.x == pytest.approx(np.arange(len(curve.mean)) / (len(curve.mean) - 1)), (
                "all patches, no border"
            )


def test_aopc_at_every_step_is_the_summarys(full_results: Results):
    summary = full_results.summary
    sets = curve_sets(full_results.curves, 1)
    for order in summary.settings.orders:
        means = mean_curves(of_order(sets, order), lambda curves: curves.aopc, over_share=True)
        for row in summary.aopc:
            if row.order == order:
                assert means[Setting(row.patch_size, row.fill)][row.method].mean == pytest.approx(row.by_steps)


def made_curves(method: Method, setting: Setting, order: Order, f: np.ndarray) -> Curves:
    """Of images without groups."""
    share = np.broadcast_to(np.linspace(0, 1, f.shape[1]), f.shape)
    return Curves(method, setting, order, f, share, aopc_by_steps(f, share, 1), [None] * len(f))


def test_band_is_the_interval_of_the_mean():
    f = np.random.default_rng(0).uniform(size=(400, 5))
    band = mean_f([made_curves("in_model", SETTING, "morf", f)])[SETTING]["in_model"]
    half_width = 1.96 * f.std(0, ddof=1) / np.sqrt(len(f))  # what the bootstrap must come close to
    assert band.mean == pytest.approx(f.mean(0))
    assert band.low == pytest.approx(f.mean(0) - half_width, abs=0.2 * half_width.max())
    assert band.high == pytest.approx(f.mean(0) + half_width, abs=0.2 * half_width.max())


def test_a_band_does_not_depend_on_what_is_drawn_with_it():
    f = np.random.default_rng(0).uniform(size=(20, 5))
    one = made_curves("in_model", SETTING, "morf", f)
    others = [made_curves("lrp", SETTING, "morf", f**2), made_curves("random", Setting(16, "blur"), "morf", f[:, :3])]
    alone = mean_f([one])[SETTING]["in_model"]
    together = mean_f([others[0], one, others[1]])[SETTING]["in_model"]
    assert alone.low == pytest.approx(together.low) and alone.high == pytest.approx(together.high)


def test_one_image_has_no_band():
    curves = made_curves("in_model", SETTING, "morf", np.array([[0.9, 0.5]]))
    band = mean_f([curves])[SETTING]["in_model"]
    assert band.low is not None and band.high is not None
    assert np.isnan(band.low).all() and np.isnan(band.high).all()
    assert band.mean.tolist() == [0.9, 0.5]


def test_a_band_is_over_groups():
    f = np.repeat(np.random.default_rng(0).uniform(size=(12, 5)), 10, axis=0)  # ten copies of each patient
    patients = [f"patient {place // 10}" for place in range(120)]
    of_patients = mean_f([replace(made_curves("in_model", SETTING, "morf", f), group=patients)])[SETTING]
    of_one_each = mean_f([made_curves("in_model", SETTING, "morf", f[::10])])[SETTING]
    assert of_patients["in_model"].low == pytest.approx(of_one_each["in_model"].low)


def test_long_curves_are_thinned_but_keep_their_ends():
    f = np.random.default_rng(0).uniform(size=(3, 3137))
    curve = mean_f([made_curves("in_model", SETTING, "morf", f)])[SETTING]["in_model"]
    assert len(curve.x) == 150 and curve.x[0] == 0 and curve.x[-1] == 3136
    assert curve.mean == pytest.approx(f.mean(0)[curve.x.astype(int)])


def test_more_than_four_methods_have_bands_of_the_references_alone():
    few: list[Method] = ["in_model", "saliency", "lrp", "random"]
    many: list[Method] = [*few, "canny"]
    assert banded(few) == set(few) and "alone" not in band_in_words(few)
    assert banded(many) == {"in_model", "random"}
    assert "of in-model and random order alone" in band_in_words(many)
    assert band_in_words([method for method in METHODS.names() if method not in ("in_model", "random")]).startswith(
        "No b"
    )


def test_a_panel_shows_each_line_with_the_look_of_its_method():
    f = np.random.default_rng(0).uniform(size=(10, 4))
    sets = [made_curves(method, SETTING, "morf", f**power) for power, method in enumerate(METHODS.names(), start=1)]
    by_method = mean_f(sets)[SETTING]
    with Panel() as panel:
        draw_setting(panel.axes, by_method)
        lines, bands = panel.axes.lines, panel.axes.collections
        for power, method in enumerate(METHODS.names(), start=1):
            style = method_style(method)
            found = [line for line in lines if np.allclose(np.asarray(line.get_ydata()), (f**power).mean(0))]
            assert [(line.get_color(), line.get_linestyle()) for line in found] == [(style.color, style.dash)], method
        assert lines[-1].get_color() == method_style("in_model").color  # on top
        assert len(lines) == len(METHODS.names()) and len(bands) == 2


def test_a_grid_has_a_panel_a_setting_and_the_page_all_words(full_results: Results):
    sets = curve_sets(full_results.curves, 1)
    for draw in (perturbation_grid, aopc_grid):
        drawn = draw(full_results.summary, sets, "morf")
        words = parse(drawn.picture.svg).text
        assert words.count("patches of") == 2 and words.count("share replaced") == 2
        assert "black" in words and "blur" in words
        assert "Means over 8 images" in drawn.picture.alt


def test_logits_have_a_scale_of_their_own(full_results: Results):
    summary = full_results.summary
    settings = summary.settings.model_copy(update={"output": "logit"})
    summary = summary.model_copy(update={"settings": settings})
    f = np.array([[7.5, -3.25], [8.5, -2.25]])
    drawn = perturbation_grid(summary, [made_curves("in_model", SETTING, "morf", f)], "morf")
    assert drawn.plate.name == "morf_logit"
    assert "mean logit of the explained class" in parse(drawn.picture.svg).text
    ticks = [word.replace("−", "-") for word in parse(drawn.picture.svg).text.split()]
    numbers = [float(word) for word in ticks if word.lstrip("-").replace(".", "").isdigit()]
    assert min(numbers) < -1 and max(numbers) > 6


def test_tables_of_no_images_have_no_sets():
    assert curve_sets(CURVES_SCHEMA.empty_table(), 1) == []


@pytest.mark.parametrize("fill", ["black", "blur"])
def test_rows_in_another_order_make_the_same_means(full_results: Results, fill: Fill):
    shuffled = full_results.curves.take(np.random.default_rng(0).permutation(full_results.curves.num_rows))
    setting = Setting(16, fill)
    for table in (full_results.curves, shuffled):
        curve = mean_f(of_order(curve_sets(table, 1), "morf"))[setting]["lrp"]
        assert curve.mean == pytest.approx(of_table(full_results.curves, "lrp", setting, "morf").mean(0))
