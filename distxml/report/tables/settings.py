"""Tables with one row per setting (order, patch size, fill) and one column per method."""

from collections.abc import Callable, Mapping, Sequence

from distxml.config.evaluation import Fill, Method, Order
from distxml.evaluation.summary import Summary
from distxml.evaluation.summary_rows import Aopc, OrderGap
from distxml.metrics.entry import IN_WORDS
from distxml.metrics.lookup import AOPC_IN_WORDS, metric_entry
from distxml.report.style import ORDER_NAMES, method_name, without
from distxml.report.tables.methods import CLEAR, difference_cell, spread_and_p
from distxml.report.tables.table import NONE, Cell, NumberTable, TableRow
from distxml.report.wording import interval, number, percent, signed

CurveSetting = tuple[Order, int, Fill]
"""Order, patch size in pixels, fill: what a curve is measured at, by any method."""


def setting_tables(summary: Summary) -> list[NumberTable]:
    """AOPC at every setting, its differences, the area between the orders, the areas under the curves, and ties."""
    tables = [_aopc(summary), _minus_random(summary), _in_model_minus(summary), _gaps(summary), _areas(summary)]
    return [table for table in [*tables, _ties(summary)] if table.columns and table.rows]


def _curve_settings(summary: Summary) -> dict[CurveSetting, int]:
    """Every setting, and how many patches were replaced; orders first."""
    found: dict[CurveSetting, int] = {(row.order, row.patch_size, row.fill): row.steps for row in summary.aopc}
    in_order = sorted(found, key=lambda setting: setting[0] != summary.settings.orders[0])
    return {setting: found[setting] for setting in in_order}


def _by_curve_setting(
    summary: Summary, title: str, about: str, methods: Sequence[Method], cell: Callable[[Method, CurveSetting], Cell]
) -> NumberTable:
    rows = [
        TableRow(f"{fill}, {size} px", [cell(method, (order, size, fill)) for method in methods], _note(order, steps))
        for (order, size, fill), steps in _curve_settings(summary).items()
    ]
    return NumberTable(title, about, "Fill, patch", [method_name(method) for method in methods], rows)


def _note(order: Order, steps: int) -> str:
    return f"{ORDER_NAMES[order]}, L = {steps}"


def _aopc_rows(summary: Summary) -> Mapping[tuple[Method, CurveSetting], Aopc]:
    """Every AOPC; that of `random`, which has no direction, under both orders."""
    found: dict[tuple[Method, CurveSetting], Aopc] = {}
    for row in summary.aopc:
        for order in summary.settings.orders if row.method == "random" else (row.order,):
            found[row.method, (order, row.patch_size, row.fill)] = row
    return found


def _aopc(summary: Summary) -> NumberTable:
    found = _aopc_rows(summary)

    def cell(method: Method, setting: CurveSetting) -> Cell:
        row = found.get((method, setting))
        return Cell(number(row.aopc), interval(row.low, row.high)) if row else NONE

    about = (
        f"Area over each curve, and its 95% interval. MoRF: {AOPC_IN_WORDS['morf']}; LeRF: "
        f"{AOPC_IN_WORDS['lerf']}. L: points of a curve."
    )
    return _by_curve_setting(summary, "AOPC at every setting", about, summary.settings.methods, cell)


def _minus_random(summary: Summary) -> NumberTable:
    others = without(summary.settings.methods, "random")
    title, about = "AOPC minus that of a random order, at every setting", _paired("a random order")
    return _differences(summary, title, about, {method: (method, "random") for method in others})


def _in_model_minus(summary: Summary) -> NumberTable:
    others = without(summary.settings.methods, "in_model")
    title, about = "In-model AOPC minus that of every other method, at every setting", _paired("the other method")
    return _differences(summary, title, about, {method: ("in_model", method) for method in others})


def _paired(other: str) -> str:
    return f"Paired, image by image, with 95% intervals. MoRF: above 0 is better than {other}; LeRF: below 0. {CLEAR}"


def _differences(
    summary: Summary, title: str, about: str, pairs: Mapping[Method, tuple[Method, Method]]
) -> NumberTable:
    found = {(row.method, row.other, row.order, row.patch_size, row.fill): row for row in summary.comparisons}
    made = {(row.method, row.other) for row in summary.comparisons}
    methods: list[Method] = [method for method, pair in pairs.items() if pair in made]
    return _by_curve_setting(
        summary, title, about, methods, lambda method, setting: difference_cell(found.get((*pairs[method], *setting)))
    )


def _gaps(summary: Summary) -> NumberTable:
    found = {(row.method, row.patch_size, row.fill): row for row in summary.order_gaps}
    methods: list[Method] = list(dict.fromkeys(row.method for row in summary.order_gaps))
    rows = []
    for patch_size, fill in dict.fromkeys((row.patch_size, row.fill) for row in summary.order_gaps):
        gaps = [found[method, patch_size, fill] for method in methods]
        cells = [_gap(gap) for gap in gaps]
        rows.append(TableRow(f"{fill}, {patch_size} px", cells))
    about = (
        "AOPC of MoRF minus AOPC of LeRF: the area between the two curves, with its 95% interval. "
        f"{IN_WORDS[metric_entry('lerf_minus_morf').better].capitalize()}; a random order has 0. {CLEAR}"
    )
    return NumberTable("Between LeRF and MoRF", about, "Fill, patch", [method_name(method) for method in methods], rows)


def _gap(gap: OrderGap) -> Cell:
    return Cell(signed(gap.gap), spread_and_p(gap), gap.verdict != "unclear")


def _areas(summary: Summary) -> NumberTable:
    found = _aopc_rows(summary)

    def cell(method: Method, setting: CurveSetting) -> Cell:
        row = found.get((method, setting))
        if row is None or row.auc is None:
            return NONE
        return Cell(number(row.auc), interval(row.auc_low, row.auc_high))

    known = any(row.auc is not None for row in summary.aopc)
    about = (
        "Area under f over the share of the image that is replaced, where all of it was. MoRF: deletion, "
        f"{IN_WORDS[metric_entry('deletion_auc').better]}; LeRF, read from its end: insertion, "
        f"{IN_WORDS[metric_entry('insertion_auc').better]}. With 95% intervals."
    )
    methods = summary.settings.methods if known else ()
    return _by_curve_setting(summary, "Deletion and insertion: areas under the curves", about, methods, cell)


def _ties(summary: Summary) -> NumberTable:
    found = _aopc_rows(summary)
    methods = without(summary.settings.methods, "random")

    def cell(method: Method, setting: CurveSetting) -> Cell:
        row = found.get((method, setting))
        return Cell(percent(row.tie_share)) if row else NONE

    about = "Mean share of the patches whose score equals another’s, so that their order is random."
    return _by_curve_setting(summary, "Ties at every setting", about, methods, cell)
