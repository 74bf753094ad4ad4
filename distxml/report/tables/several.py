"""Tables of several runs: AOPC of every method and the metrics, with each run's own value."""

from collections.abc import Sequence

from distxml.config.evaluation import Order
from distxml.evaluation.p_values import p_value
from distxml.evaluation.several_runs.record import AopcOverRuns, ComparisonOverRuns, MetricOverRuns, SeveralRuns
from distxml.metrics.lookup import AOPC_IN_WORDS, metric_entry
from distxml.report.style import ORDER_NAMES, method_name
from distxml.report.tables.table import NONE, Cell, NumberTable, TableRow
from distxml.report.wording import interval, number, signed, size

MAX_RUNS_SHOWN = 10
"""A table has a column for each of so many runs."""


def aopc_table(several: SeveralRuns, order: Order) -> NumberTable:
    """AOPC over all settings, the best method first."""
    rows = several.overall(order)
    rows.sort(key=lambda row: row.value or 0.0, reverse=order == "morf")
    over = size(several.curve_images, several.curve_groups)
    questions = " (a mean of different questions)" if len(several.settings.fills) > 1 else ""
    about = (
        f"Means over {len(several.runs)} runs, each of the same {over}, and over all patch sizes and fills{questions}; "
        f"{AOPC_IN_WORDS[order]}. SD: standard deviation between the runs. Differences are paired, image by image; "
        "bold: clear over runs and images, p below 0.05 (the primary comparison by itself, all others adjusted for "
        "their number)."
    )
    columns = ["mean", "SD", *_names(several), "minus random", "in-model minus it"]
    lines = [
        TableRow(method_name(row.method), _aopc_cells(several, row, order), own=row.method == "in_model")
        for row in rows
    ]
    return NumberTable(f"AOPC over runs, {ORDER_NAMES[order]}", about, "Method", columns, lines).without_empty_columns()


def metric_table(several: SeveralRuns) -> NumberTable:
    """The metrics of the classifier and the in-model heatmap."""
    rows = [row for row in several.metrics if row.value is not None]
    about = "Areas under curves and the ratio of heat are no means over images: they have no interval over runs."
    lines = [TableRow(metric_entry(row.name).title, [*_values(row), Cell(str(row.images))]) for row in rows]
    return NumberTable("Metrics over runs", about, "Metric", ["mean", "SD", *_names(several), "images"], lines)


def _names(several: SeveralRuns) -> list[str]:
    runs = several.runs if len(several.runs) <= MAX_RUNS_SHOWN else ()
    return [f"{run.name}, seed {run.seed}" for run in runs]


def _values(row: AopcOverRuns | MetricOverRuns) -> list[Cell]:
    """Mean, spread and each run's value."""
    return [Cell(number(row.value), interval(row.low, row.high)), Cell(number(row.spread)), *_each(row.of_runs)]


def _each(of_runs: Sequence[float | None]) -> list[Cell]:
    return [Cell(number(value)) for value in of_runs] if len(of_runs) <= MAX_RUNS_SHOWN else []


def _aopc_cells(several: SeveralRuns, row: AopcOverRuns, order: Order) -> list[Cell]:
    random = several.comparison(row.method, "random", order) if row.method != "random" else None
    in_model = several.comparison("in_model", row.method, order) if row.method != "in_model" else None
    return [*_values(row), _difference(random), _difference(in_model)]


def _difference(row: ComparisonOverRuns | None) -> Cell:
    if row is None or row.value is None:
        return NONE
    note = "; ".join(filter(None, (interval(row.low, row.high), p_value(row.p))))
    return Cell(signed(row.value), note, row.verdict != "unclear")
