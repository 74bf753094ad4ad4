"""Tables of several runs: AOPC of every method, at each fill first, and the metrics, with each run's own value."""

from collections.abc import Iterator, Sequence

from distxml.config.evaluation import Fill, Order
from distxml.evaluation.p_values import p_value
from distxml.evaluation.several_runs.record import AopcOverRuns, ComparisonOverRuns, MetricOverRuns, SeveralRuns
from distxml.metrics.lookup import AOPC_IN_WORDS, metric_entry
from distxml.report.several_runs import few
from distxml.report.style import ORDER_NAMES, method_name
from distxml.report.tables.table import NONE, Cell, NumberTable, TableRow
from distxml.report.wording import interval, number, signed, size

MAX_RUNS_SHOWN = 10
"""A table has a column for each of so many runs."""


def aopc_tables(several: SeveralRuns, order: Order) -> list[NumberTable]:
    """AOPC at every fill where there are several, each asking its own question; then over all of them."""
    return [*_at_each_fill(several, order), _over_all(several, order)]


def _at_each_fill(several: SeveralRuns, order: Order) -> Iterator[NumberTable]:
    """One table, fill by fill; none where there is one fill."""
    if len(several.fills) < 2:
        return
    about = f"{_means(several)}, and over all patch sizes; {_how_to_read(order)}"
    if not few(several):
        about += " Differences at single fills are not tested, but for a primary comparison, which is bold where clear."
    rows = [row for fill in several.fills for row in _ranked(several, order, fill)]
    yield _aopc_table(several, rows, order, f"AOPC over runs at each fill, {ORDER_NAMES[order]}", about)


def _over_all(several: SeveralRuns, order: Order) -> NumberTable:
    questions = " (a mean of different questions)" if len(several.fills) > 1 else ""
    about = f"{_means(several)}, and over all patch sizes and fills{questions}; {_how_to_read(order)}"
    if not few(several):
        about += (
            " Bold: clear over runs and images, p below 0.05 (the primary comparison by itself, all others adjusted "
            "for their number)."
        )
    return _aopc_table(several, _ranked(several, order), order, f"AOPC over runs, {ORDER_NAMES[order]}", about)


def _means(several: SeveralRuns) -> str:
    return f"Means over {len(several.runs)} runs, each of the same {size(several.curve_images, several.curve_groups)}"


def _how_to_read(order: Order) -> str:
    return f"{AOPC_IN_WORDS[order]}. SD: standard deviation between the runs. Differences are paired, image by image."


def _ranked(several: SeveralRuns, order: Order, fill: Fill | None = None) -> list[AopcOverRuns]:
    """The best method first."""
    return sorted(several.overall(order, fill), key=lambda row: row.value or 0.0, reverse=order == "morf")


def _aopc_table(
    several: SeveralRuns, rows: Sequence[AopcOverRuns], order: Order, title: str, about: str
) -> NumberTable:
    columns = ["mean", "SD", *_names(several), "minus random", "in-model minus it"]
    lines = [
        TableRow(
            method_name(row.method), _aopc_cells(several, row, order), row.fill or "", own=row.method == "in_model"
        )
        for row in rows
    ]
    return NumberTable(title, about, "Method", columns, lines).without_empty_columns()


def metric_table(several: SeveralRuns) -> NumberTable:
    """The metrics of the classifier and the in-model heatmap."""
    rows = [row for row in several.metrics if row.value is not None]
    about = "Areas under curves and the ratio of heat are no means over images: they have no interval over runs."
    about = "" if few(several) else about
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
    random = several.comparison(row.method, "random", order, row.fill) if row.method != "random" else None
    in_model = several.comparison("in_model", row.method, order, row.fill) if row.method != "in_model" else None
    return [*_values(row), _difference(random), _difference(in_model)]


def _difference(row: ComparisonOverRuns | None) -> Cell:
    if row is None or row.value is None:
        return NONE
    note = "; ".join(filter(None, (interval(row.low, row.high), p_value(row.p))))
    return Cell(signed(row.value), note, row.verdict in ("better", "worse"))
