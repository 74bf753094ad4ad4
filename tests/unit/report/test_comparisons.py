"""Verdict, dots and tables: every number is the summary's, and both orders are read the right way round."""

import re
from collections.abc import Sequence

import pytest

from distxml.config.evaluation import Method
from distxml.evaluation.p_values import p_or_why, p_value
from distxml.evaluation.results import Results
from distxml.evaluation.summary import Summary
from distxml.evaluation.summary_rows import AopcOverall, Comparison
from distxml.metrics.lookup import METRICS
from distxml.report.figures.comparisons import comparison_figure, overall_figure
from distxml.report.style import ORDER_NAMES, method_name
from distxml.report.tables import classes as class_tables
from distxml.report.tables import methods as method_tables
from distxml.report.tables import settings as setting_tables
from distxml.report.tables.table import NumberTable
from distxml.report.verdict import against_each, primary_in_words, primary_tile, ranked, verdicts
from distxml.report.wording import interval, number, percent, signed
from tests.unit.report.page import Page, parse


def cells(table: NumberTable) -> dict[tuple[str, str], str]:
    """Text and note by row (with the order, where its note has one) and column."""
    return {
        (row.name + row.note.partition(",")[0] * ("L = " in row.note), column): f"{cell.text} {cell.note}".strip()
        for row in table.rows
        for column, cell in zip(table.columns, row.cells, strict=True)
    }


def compared(
    difference: float, order: str = "morf", other: Method = "lrp", p: float | None = None, primary: bool = False
) -> Comparison:
    """Clear from 0.05 on, unless a p-value says otherwise."""
    place = {"order": order, "patch_size": None, "fill": None, "wins": 0.5, "images": 60, "primary": primary}
    ends = {"low": difference - 0.05, "high": difference + 0.05}
    p = (0.01 if abs(difference) > 0.05 else 0.5) if p is None else p
    return Comparison(method="in_model", other=other, difference=difference, p=p, **ends, **place)


def beside(text: str, *notes: str) -> str:
    """A cell with what stands under it."""
    return f"{text} {'; '.join(filter(None, notes))}".strip()


def with_comparisons(summary: Summary, rows: Sequence[Comparison]) -> Summary:
    return summary.model_copy(update={"comparisons": tuple(rows)})


def test_verdict_counts_each_side_and_names_the_methods(full_results: Results):
    rows = [compared(0.2, other="lrp"), compared(-0.2, other="canny"), compared(0.01, other="random")]
    lerf = [compared(0.2, "lerf", "lrp"), compared(-0.2, "lerf", "canny"), compared(0.01, "lerf", "random")]
    morf_verdict, lerf_verdict = verdicts(with_comparisons(full_results.summary, [*rows, *lerf]))
    assert [(tile.value, tile.note) for tile in morf_verdict.tiles] == [
        ("1 of 3", "LRP"),
        ("1 of 3", "Canny edges"),
        ("1 of 3", "random order"),
    ]
    assert [tile.note for tile in lerf_verdict.tiles] == ["Canny edges", "LRP", "random order"]


def test_a_large_p_is_no_clear_verdict(full_results: Results):
    (verdict,) = verdicts(with_comparisons(full_results.summary, [compared(0.9, p=0.2)]))
    assert [tile.value for tile in verdict.tiles] == ["0 of 1", "0 of 1", "1 of 1"]


def test_the_primary_comparison_comes_first_with_its_own_p(full_results: Results):
    summary = with_comparisons(full_results.summary, [compared(0.2, other="random", p=0.0123, primary=True)])
    tile = primary_tile(summary)
    assert tile is not None
    assert tile.name == "clearly better: in-model against random order"
    assert tile.value == "+0.200"
    assert tile.note == f"0.150 to 0.250 (95%); p = 0.012; {summary.curve_images} images"
    assert primary_in_words(summary) == (
        "Primary comparison: AOPC of in-model minus random order, over all patch sizes and fills, MoRF; as the "
        "run’s recipe names it."
    )
    late = summary.model_copy(update={"primary_is_of_recipe": False})
    assert "was chosen for this evaluation" in primary_in_words(late)
    grouped = summary.model_copy(update={"curve_groups": 3})
    assert primary_tile(grouped) != tile and "8 images of 3 groups" in str(primary_tile(grouped))


def test_without_a_primary_comparison_the_page_says_so(full_results: Results):
    summary = with_comparisons(full_results.summary, [compared(0.2)])
    assert primary_tile(summary) is None
    assert primary_in_words(summary).startswith(
        "There is no primary comparison: in-model minus random order, over all patch sizes and fills, was not computed."
    )


def test_without_in_model_methods_are_held_against_the_random_order(full_results: Results):
    rows = [row for row in full_results.summary.comparisons if row.method != "in_model"]
    summary = with_comparisons(full_results.summary, rows)
    assert all("than a random order" in tile.name for verdict in verdicts(summary) for tile in verdict.tiles[:2])
    figure = comparison_figure(summary)
    assert figure is not None and "every method minus a random order" in figure.plate.title
    assert comparison_figure(with_comparisons(summary, [])) is None and verdicts(with_comparisons(summary, [])) == []


def test_the_headline_of_the_page_is_the_summarys(full_results: Results, full_page: Page):
    summary = full_results.summary
    for order in summary.settings.orders:
        rows = [
            row for row in summary.comparisons if row.method == "in_model" and row.fill is None and row.order == order
        ]
        assert len(rows) == len(summary.settings.methods) - 1
        for words, verdict in (("better", "better"), ("worse", "worse")):
            names = [method_name(row.other) for row in rows if row.verdict == verdict]
            found = re.findall(rf"in-model heatmap clearly {words} than (\d+) of {len(rows)}", full_page.text)
            assert found[summary.settings.orders.index(order)] == str(len(names))


def test_dots_are_ranked_and_carry_the_summarys_numbers(full_results: Results):
    summary = full_results.summary
    text = parse(overall_figure(summary).picture.svg).text
    names = [method_name(row.method) for row in sorted(summary.overall("morf"), key=_first(summary), reverse=True)]
    assert " ".join(names) in text
    for order in summary.settings.orders:
        assert all(number(row.aopc) in text for row in ranked(summary, order))
        assert len(ranked(summary, order)) == len(summary.settings.methods)


def _first(summary: Summary):
    """MoRF first, then by AOPC."""

    def key(row: AopcOverall) -> tuple[bool, float]:
        return row.order == summary.settings.orders[0], row.aopc

    return key


def test_ranks_put_the_lowest_lerf_first(full_results: Results):
    rows = ranked(full_results.summary, "lerf")
    assert [row.aopc for row in rows] == sorted(row.aopc for row in rows)


def test_differences_carry_interval_and_wins(full_results: Results):
    summary = full_results.summary
    figure = comparison_figure(summary)
    assert figure is not None
    text = parse(figure.picture.svg).text
    for order in summary.settings.orders:
        rows = against_each(summary, order)
        assert len(rows) == len(summary.settings.methods) - 1
        for row in rows:
            assert f"{signed(row.difference)}, wins {percent(row.wins)}" in text


def _difference(row: Comparison) -> str:
    return beside(signed(row.difference), interval(row.low, row.high), p_or_why(row))


def test_overall_tables_hold_every_method_and_pair(full_results: Results, full_page: Page):
    summary = full_results.summary
    for order in summary.settings.orders:
        found = cells(method_tables.overall_table(summary, order))
        for row in ranked(summary, order):
            name = method_name(row.method)
            assert found[name, "AOPC"] == beside(number(row.aopc), interval(row.low, row.high))
            with_random = summary.comparison(row.method, "random", order)
            if with_random is not None:
                text = _difference(with_random)
                assert found[name, "minus random"] == text
                assert text in full_page.text
            with_in_model = summary.comparison("in_model", row.method, order)
            assert (found[name, "in-model wins"] == "–") == (row.method == "in_model")
            if with_in_model is not None:
                assert found[name, "in-model wins"] == percent(with_in_model.wins)
                settings = [
                    one.verdict
                    for one in summary.comparisons
                    if (one.method, one.other, one.order) == ("in_model", row.method, order) and one.patch_size
                ]
                assert len(settings) == 4
                counts = f"{settings.count('better')} / {settings.count('worse')}"
                assert found[name, "settings in-model better / worse"] == counts


def test_setting_tables_hold_every_number(full_results: Results, full_page: Page):
    summary = full_results.summary
    tables = {table.title: cells(table) for table in setting_tables.setting_tables(summary)}
    assert len(tables) == 6
    aopc, areas = tables["AOPC at every setting"], tables["Deletion and insertion: areas under the curves"]
    for row in summary.aopc:
        place = f"{row.fill}, {row.patch_size} px{ORDER_NAMES[row.order]}"
        name = method_name(row.method)
        assert aopc[place, name] == beside(number(row.aopc), interval(row.low, row.high))
        assert row.auc is not None
        assert areas[place, name] == beside(number(row.auc), interval(row.auc_low, row.auc_high))
        assert aopc[place, name] in full_page.text and areas[place, name] in full_page.text
    for row in summary.order_gaps:
        text = tables["Between LeRF and MoRF"][f"{row.fill}, {row.patch_size} px", method_name(row.method)]
        assert text == beside(signed(row.gap), interval(row.low, row.high), p_or_why(row))
    against_random = tables["AOPC minus that of a random order, at every setting"]
    against_in_model = tables["In-model AOPC minus that of every other method, at every setting"]
    for row in summary.comparisons:
        if row.patch_size is None:
            continue
        place = f"{row.fill}, {row.patch_size} px{ORDER_NAMES[row.order]}"
        text = _difference(row)
        if row.other == "random":
            assert against_random[place, method_name(row.method)] == text
        if row.method == "in_model":
            assert against_in_model[place, method_name(row.other)] == text


def test_agreement_with_the_masks_holds_every_number(full_results: Results, full_page: Page):
    found = cells(method_tables.localization_table(full_results.summary))
    methods = len(full_results.summary.settings.methods) - 1  # `random` has no heatmap
    assert len(full_results.summary.heatmaps) == len(method_tables.LOCALIZATION) * methods
    for row in full_results.summary.heatmaps:
        metric = METRICS[row.name]
        text = found[method_name(row.method), f"{metric.title}, {metric.better} is better"]
        assert text == beside(number(row.value), interval(row.low, row.high), f"n = {row.images}")
        assert text in full_page.text


def test_class_tables_hold_every_part(full_results: Results, full_page: Page):
    summary = full_results.summary
    tables = {table.title: cells(table) for table in class_tables.class_tables(summary)}
    assert len(tables) == 6
    for part in summary.by_class:
        for row in part.aopc_overall:
            if row.order == "morf":
                text = tables["AOPC by class, MoRF"][part.class_name, method_name(row.method)]
                assert text == beside(number(row.aopc), interval(row.low, row.high))
                assert text in full_page.text
        for row in part.comparisons:
            if row.method == "in_model" and row.order == "lerf":
                title = "In-model AOPC minus that of every other method, by class, LeRF"
                text = tables[title][part.class_name, method_name(row.other)]
                assert text == _difference(row)
        recall = next(metric for metric in part.metrics if metric.name == "accuracy")
        assert tables["Metrics by class"][part.class_name, "Recall"].startswith(number(recall.value))


@pytest.mark.parametrize("order", ["morf", "lerf"])
def test_bold_is_clear_and_nothing_else(full_results: Results, order):
    table = method_tables.overall_table(full_results.summary, order)
    column = table.columns.index("in-model minus it")
    bold = {row.name for row in table.rows if row.cells[column].sure}
    rows = against_each(full_results.summary, order)
    assert bold == {method_name(row.other) for row in rows if row.verdict != "unclear"}


@pytest.mark.parametrize(
    ("p", "text"),
    [(None, ""), (0.0004, "p < 0.001"), (0.0123, "p = 0.012"), (0.04995, "p = 0.04995"), (0.05, "p = 0.050")],
)
def test_a_p_value_is_printed_on_its_side_of_the_level(p: float | None, text: str):
    assert p_value(p) == text


def test_a_comparison_that_could_not_be_tested_says_so():
    assert p_or_why(compared(0.2).model_copy(update={"p": None})) == "not tested: too few differ"
    assert p_or_why(compared(0.2).model_copy(update={"p": None, "low": None, "high": None})) == ""
