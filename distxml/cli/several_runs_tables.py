"""Several runs on the terminal: each run's values, their mean, and the interval over runs and images."""

from collections.abc import Iterator, Sequence

from rich import box
from rich.console import Console
from rich.table import Table

from distxml.cli.evaluation_tables import HEATMAP_COLUMNS
from distxml.config.evaluation import Order
from distxml.evaluation.digits import digits_apart
from distxml.evaluation.p_values import p_value
from distxml.evaluation.several_runs.record import AopcOverRuns, MetricOverRuns, SeveralRuns
from distxml.evaluation.statistics.crossed import MIN_RUNS
from distxml.metrics.lookup import AOPC_IN_WORDS

MAX_RUNS_SHOWN = 5
"""The values of more runs are shown as their smallest and largest."""


def print_several(several: SeveralRuns, console: Console | None = None) -> None:
    """The runs, then metrics, heatmaps and AOPC over them, then the primary comparison."""
    console = console or Console()
    for line in _context(several):
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    for table in _tables(several):
        console.print(table)
        console.print()
    for line in _remarks(several):
        console.print(line, highlight=False, markup=False)


def _context(several: SeveralRuns) -> Iterator[str]:
    yield (
        f"over {len(several.runs)} runs, each scored on the same images of {several.dataset_name}, split "
        f"{several.settings.split}: {_size(several.images, several.groups)}, of which "
        f"{_size(several.curve_images, several.curve_groups)} were perturbed"
    )
    for number, run in enumerate(several.runs, 1):
        yield f"  {number}: {run.name}, seed {run.seed}, weights {run.sha256[:12]} ({run.folder})"


def _size(images: int, groups: int | None) -> str:
    return f"{images} images" if groups is None else f"{images} images of {groups} groups"


def _tables(several: SeveralRuns) -> Iterator[Table]:
    yield _metric_table("Metrics over runs", "metric", [(row.name, row) for row in several.metrics])
    for name in HEATMAP_COLUMNS:
        rows = [(row.method or "", row) for row in several.heatmaps if row.name == name and row.value is not None]
        if rows:
            yield _metric_table(f"Heatmaps and masks over runs: {name}", "method", rows)
    for order in several.settings.orders:
        aopc = several.overall(order)
        if aopc:
            yield _aopc_table(several, order, aopc)


def _metric_table(title: str, corner: str, rows: Sequence[tuple[str, MetricOverRuns]]) -> Table:
    table = _table(title, corner)
    for name, row in rows:
        images = str(row.images) if row.groups is None else f"{row.images} of {row.groups} groups"
        table.add_row(name, *_cells(row), images)
    return table


def _aopc_table(several: SeveralRuns, order: Order, rows: Sequence[AopcOverRuns]) -> Table:
    questions = " (a mean of different questions)" if len(several.settings.fills) > 1 else ""
    title = f"AOPC over runs, all patch sizes and fills{questions}\n{order}; {AOPC_IN_WORDS[order]}"
    table = _table(title, "method")
    table.add_column("vs random")
    for row in rows:
        with_random = several.comparison(row.method, "random", order)
        images = str(row.images) if row.groups is None else f"{row.images} of {row.groups} groups"
        table.add_row(row.method, *_cells(row), images, with_random.verdict if with_random else "")
    return table


def _table(title: str, corner: str) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.show_edge = table.pad_edge = False
    table.add_column(corner, no_wrap=True)
    for column in ("mean", "SD of runs", "95% interval", "each run", "images"):
        table.add_column(column, justify="right")
    return table


def _cells(row: MetricOverRuns | AopcOverRuns) -> tuple[str, str, str, str]:
    return _number(row.value), _number(row.spread), _ends(row.low, row.high), _each(row.of_runs)


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
    found = ", ".join(filter(None, (_ends(row.low, row.high), p_value(row.p))))
    late = "" if several.primary_is_of_recipe else "; not as the runs' recipe names it"
    each = ", ".join("-" if value is None else f"{value:+.4f}" for value in row.of_runs)
    return (
        f"Primary comparison over {len(several.runs)} runs: {row.method} minus {row.other}, {row.order}, "
        f"{wanted.in_words()}: "
        f"{row.value:+.4f}{f' ({found})' if found else ''}, {row.verdict}{late}; each run {each}."
    )


def _ends(low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return ""
    digits = digits_apart(low, high, 4)
    return f"{low:.{digits}f} to {high:.{digits}f}"


def _number(value: float | None) -> str:
    return "not defined" if value is None else f"{value:.4f}"
