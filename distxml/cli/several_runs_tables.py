"""Several runs on the terminal: each run's values, their mean, and the interval over runs and images."""

from collections.abc import Iterator, Mapping, Sequence

from rich.console import Console
from rich.table import Table

from distxml.cli.console_tables import compact, ends, number, show
from distxml.cli.evaluation_tables import HEATMAP_COLUMNS, SECOND_LOOK
from distxml.config.evaluation import Order
from distxml.evaluation.p_values import p_value
from distxml.evaluation.several_runs.record import (
    NO_INTERVAL,
    ComparisonOverRuns,
    FigureOverRuns,
    MetricOverRuns,
    SeveralRuns,
)
from distxml.evaluation.statistics.crossed import MIN_RUNS
from distxml.metrics.lookup import AOPC_IN_WORDS
from distxml.report.wording import size

MAX_RUNS_SHOWN = 5
"""The values of more runs are shown as their smallest and largest."""


def print_several(several: SeveralRuns, console: Console | None = None) -> None:
    """The runs, then metrics, heatmaps and AOPC over them, then the primary comparison."""
    show(_context(several), _tables(several), _remarks(several), console)


def _context(several: SeveralRuns) -> Iterator[str]:
    yield (
        f"over {len(several.runs)} runs, each scored on the same images of {several.dataset_name}, split "
        f"{several.settings.split}: {size(several.images, several.groups)}, of which "
        f"{size(several.curve_images, several.curve_groups)} were perturbed"
    )
    for place, run in enumerate(several.runs, 1):
        yield f"  {place}: {run.name}, seed {run.seed}, weights {run.sha256[:12]} ({run.folder})"


def _tables(several: SeveralRuns) -> Iterator[Table]:
    yield _metric_table("Metrics over runs", "metric", [(row.name, row) for row in several.metrics])
    for name in HEATMAP_COLUMNS:
        rows = [(row.method or "", row) for row in several.heatmaps if row.name == name and row.value is not None]
        if rows:
            yield _metric_table(f"Heatmaps and masks over runs: {name}", "method", rows)
    for order in several.settings.orders:
        if len(several.fills) > 1:
            yield _fill_table(several, order)
        if several.overall(order):
            yield _aopc_table(several, order)


def _metric_table(title: str, corner: str, rows: Sequence[tuple[str, MetricOverRuns]]) -> Table:
    return _filled(compact(corner, title=title), [name for name, _ in rows], _columns([row for _, row in rows]))


def _fill_table(several: SeveralRuns, order: Order) -> Table:
    """Methods × fills."""
    title = f"AOPC over runs at each fill, all patch sizes: mean ± SD of runs\n{order}; {AOPC_IN_WORDS[order]}"
    columns = {fill: [_mean_and_spread(row) for row in several.overall(order, fill)] for fill in several.fills}
    return _filled(compact("method", title=title), [row.method for row in several.overall(order)], columns)


def _aopc_table(several: SeveralRuns, order: Order) -> Table:
    questions = " (a mean of different questions)" if len(several.fills) > 1 else ""
    title = f"AOPC over runs, all patch sizes and fills{questions}\n{order}; {AOPC_IN_WORDS[order]}"
    rows = several.overall(order)
    with_random = [several.comparison(row.method, "random", order) for row in rows]
    verdicts = {"vs random": [_verdict(several, row) if row else "" for row in with_random]}
    return _filled(compact("method", title=title), [row.method for row in rows], _columns(rows) | verdicts)


def _filled(table: Table, names: Sequence[str], columns: Mapping[str, Sequence[str]]) -> Table:
    """With a row per name; columns that hold nothing are left out."""
    held = {heading: cells for heading, cells in columns.items() if any(cells)}
    for heading in held:
        table.add_column(heading, justify="left" if heading == "vs random" else "right")
    for cells in zip(names, *held.values(), strict=True):
        table.add_row(*cells)
    return table


def _columns(rows: Sequence[FigureOverRuns]) -> dict[str, list[str]]:
    return {
        "mean": [number(row.value) for row in rows],
        "SD of runs": [number(row.spread) for row in rows],
        "95% interval": [ends(row.low, row.high) for row in rows],
        "each run": [_each(row.of_runs) for row in rows],
        "images": [str(row.images) if row.groups is None else f"{row.images} of {row.groups} groups" for row in rows],
    }


def _mean_and_spread(row: FigureOverRuns) -> str:
    if row.value is None or row.spread is None:
        return "-"
    return f"{round(row.value, 3) + 0.0:.3f} ±{row.spread:.3f}"  # no -0.000


def _each(of_runs: Sequence[float | None]) -> str:
    values = [value for value in of_runs if value is not None]
    if len(values) == len(of_runs) > MAX_RUNS_SHOWN:
        return f"{min(values):.3f} to {max(values):.3f}"
    return " ".join("-" if value is None else f"{value:.3f}" for value in of_runs)


def _remarks(several: SeveralRuns) -> Iterator[str]:
    if several.comparisons:
        yield _primary(several)
    if len(several.runs) < MIN_RUNS:
        yield (
            f"Fewer than {MIN_RUNS} runs: too few for an interval or a verdict over runs. These are the runs' values; "
            "train again with another run.seed."
        )
        return
    yield (
        "Intervals hold for a new training run on the same data and new images (patients) together. Better and worse: "
        "p below 0.05 (adjusted for the number of comparisons but the primary one) and 0 outside the interval."
    )


def _primary(several: SeveralRuns) -> str:
    wanted, row = several.settings.primary, several.primary
    if row is None or row.value is None:
        return f"No primary comparison: {wanted.method} minus {wanted.other} was not computed."
    found = ", ".join(filter(None, (ends(row.low, row.high), p_value(row.p))))
    outcome = ", ".join(filter(None, (f"{row.value:+.4f}{f' ({found})' if found else ''}", _verdict(several, row))))
    late = "" if several.primary_is_of_recipe else "; not as the runs' recipe names it"
    return (
        f"Primary comparison over {len(several.runs)} runs: {row.method} minus {row.other}, {row.order}, "
        f"{wanted.in_words()}: {outcome}{late}; each run {_signed(row.of_runs)}.{_under_other_gate(several)}"
    )


def _under_other_gate(several: SeveralRuns) -> str:
    under = several.primary_under_other_gate
    if under is None or under.comparison.value is None:
        return ""
    row, why = under.comparison, "" if len(several.runs) < MIN_RUNS else f", {NO_INTERVAL}"
    found = f"{row.value:+.4f}, SD of runs {number(row.spread)}{why}; each run {_signed(row.of_runs)}"
    return f" Under {under.f}, {SECOND_LOOK}: {found}."


def _verdict(several: SeveralRuns, row: ComparisonOverRuns) -> str:
    """Nothing where there is none because of the number of runs, which is said once."""
    return row.verdict or ("" if len(several.runs) < MIN_RUNS else "not tested")


def _signed(values: Sequence[float | None]) -> str:
    return ", ".join("-" if value is None else f"{value:+.4f}" for value in values)
