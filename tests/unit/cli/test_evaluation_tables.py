"""A summary on the terminal: what it says, and that it fits."""

import io
from typing import Any

import pytest
from rich.console import Console

from distxml.attribution.methods import METHODS
from distxml.cli.evaluation_tables import print_summary
from distxml.config.evaluation import Method, Order, PrimaryComparison
from distxml.evaluation.summary import Summary
from distxml.evaluation.summary_rows import Metric
from tests.unit.evaluation.made_evaluation import SETTINGS, make_evaluation

ALL_METHODS: tuple[Method, ...] = METHODS.names()


def shown(summary: Summary, width: int = 100) -> str:
    text = io.StringIO()
    print_summary(summary, Console(file=text, width=width))
    return text.getvalue()


def made(**settings: Any) -> Summary:
    return make_evaluation(SETTINGS.model_copy(update=settings), labels=(0, 1) * 6).summary


def cells(text: str, title: str, method: str) -> list[str]:
    """The words of a method's first line below a title."""
    below = text[text.index(title) :].splitlines()
    return next(line for line in below if line.split()[:1] == [method]).split()


def test_what_the_numbers_are_of():
    summary = made()
    text = shown(summary)
    assert "scored checkpoints/joint/last (vgg) on made up, split test" in text
    assert "larger than the image or leave it fewer than 1 patches: 64\n" in text
    assert "8 of 12 images have a mask" in text
    accuracy = summary.metric("accuracy")
    assert f"{accuracy.value:.4f} │ {accuracy.low:.4f} to {accuracy.high:.4f}" in text
    assert "in-model heatmaps" not in text
    baseline = summary.scored.model_copy(update={"checkpoint": "checkpoints/classifier/last"})
    text = shown(summary.model_copy(update={"scored": baseline}))
    assert "scored checkpoints/classifier/last" in text
    assert "in-model heatmaps are those of checkpoints/joint/last" in text


def test_heatmaps_and_masks():
    summary = made()
    found = {(row.method, row.name): row for row in summary.heatmaps}
    row = found["lrp", "energy_inside"]
    assert row.value is not None and row.low is not None
    words = cells(shown(summary), "Heatmaps and masks", "lrp")
    assert words[3] == f"{row.value:.3f}"
    assert words[4].startswith(f"{row.low:.2f}".removeprefix("0") + "-")
    assert len(words) == 7
    assert "Heatmaps and masks" not in shown(make_evaluation(annotated=False).summary)


def test_aopc_by_order():
    summary = made()
    text = shown(summary)
    titles: dict[Order, str] = {"morf": "fills, 12 images\nmost", "lerf": "fills, 12 images\nleast"}
    for order, title in titles.items():
        text_of_order = "\n".join(line.rstrip() for line in text.splitlines())
        words = cells(text_of_order, title, "lrp")
        overall = next(row for row in summary.overall(order) if row.method == "lrp")
        with_random = summary.comparison("lrp", "random", order)
        with_in_model = summary.comparison("in_model", "lrp", order)
        assert with_random is not None and with_in_model is not None
        assert words == [
            *("lrp", f"{overall.aopc:.4f}", f"{overall.low:.3f}", "to", f"{overall.high:.3f}"),
            *([f"{overall.times_random:.2f}"] if overall.times_random else []),
            *(with_random.verdict, f"{with_in_model.wins:.0%}"),
        ]
        assert len(cells(text_of_order, title, "random")) == 6  # is not compared with itself


def test_marks_are_against_the_random_order():
    summary = make_evaluation(SETTINGS, labels=(0,) * 6).summary
    turned = {"morf": 0.2, "lerf": -0.2}  # clearly better, each in its way
    rows = [
        row.model_copy(update={"difference": mean, "low": mean - 0.1, "high": mean + 0.1, "p": 0.01})
        for row in summary.comparisons
        for mean in (turned[row.order],)
    ]
    text = shown(summary.model_copy(update={"comparisons": tuple(rows)}))
    assert (
        text.count(" +") == 2 * (2 + 1) * 2 * 2 + 2
    )  # methods, sizes and all of them, orders, fills, the line that explains it, the primary
    text = shown(summary.model_copy(update={"comparisons": ()}))
    assert " +" not in text
    assert "random order" not in text


def test_where_no_patch_size_is_left_it_says_what_to_do():
    text = shown(made(patch_sizes=(32, 64)))
    assert "fewer than 1 patches: 32, 64. None is left: no image is perturbed, and there is no AOPC." in text
    assert "Name smaller evaluation.patch_sizes, or lower evaluation.min_patches\n" in text


def test_a_primary_comparison_at_a_patch_size_that_is_left_out_is_named():
    text = shown(made(primary=PrimaryComparison(patch_size=64, fill="blur")))
    assert "No primary comparison: in_model minus random, blur, patches of 64 pixels, was not computed." in text


def test_curves_over_patches_are_not_compared_between_sizes():
    assert "do not compare patch sizes" in shown(made(range="patches"))
    assert "do not compare patch sizes" not in shown(made(range="share"))


def test_a_grid_of_everything_fits_80_columns():
    summary = made(methods=ALL_METHODS, patch_sizes=(2, 4, 8, 16), fills=("black", "white", "gray", "uniform", "blur"))
    text = shown(summary, width=80)
    assert max(map(len, text.splitlines())) <= 80
    assert "…" not in text
    assert len(text.splitlines()) < 66 + 5 * len(ALL_METHODS)
    assert text.count("integrated_gradients ") == 5  # heatmaps, and of MoRF and LeRF each fill and all together
    assert "Each patch size and fill: summary.csv" in text


def test_every_setting_of_a_few_methods_fits_80_columns():
    methods = ("in_model", "integrated_gradients", "guided_grad_cam", "lrp", "random")
    fills = ("black", "white", "gray", "uniform", "blur")
    summary = made(methods=methods, patch_sizes=(2, 4, 8, 16), fills=fills)
    below = tuple(row.model_copy(update={"aopc": -row.aopc}) for row in summary.aopc)
    text = shown(summary.model_copy(update={"aopc": below}), width=80)
    assert max(map(len, text.splitlines())) <= 80
    assert "…" not in text
    assert text.count("integrated_gradients") == 1 + 2 * (2 + 4)
    lines = [line for line in text.splitlines() if line.split()[1:2] == ["in_model"] and line.split()[0].isdigit()]
    assert [line.split()[0] for line in lines] == ["2", "4", "8", "16"] * 2
    value = next(row.aopc for row in below if (row.method, row.patch_size) == ("in_model", 2))
    assert lines[0].split()[2] == f"{value:.3f}"
    assert "summary.csv" not in text


@pytest.mark.parametrize("settings", [{"patch_sizes": ()}, {"methods": ("random",)}, {"orders": ("lerf",)}])
def test_little_to_show(settings: dict[str, Any]):
    text = shown(make_evaluation(SETTINGS.model_copy(update=settings), labels=(0,), annotated=False).summary)
    assert "not defined" in text  # POMPOM without masks
    assert ("LeRF" in text) == ("orders" in settings)
    assert ("Do not compare" in text) == ("too few to call" in text) == ("patch_sizes" not in settings)
    assert "too few to call" not in shown(made())


def test_an_interval_that_is_not_known_says_so():
    metrics = (
        Metric(name="roc_auc", value=1.0, low=None, high=None, images=3, groups=None),
        Metric(name="heat_ratio", value=8.0, low=2.5, high=None, images=3, groups=None),
    )
    text = shown(make_evaluation().summary.model_copy(update={"metrics": metrics}))
    assert "too few errors to tell" in text
    assert "2.5000 or more" in text
