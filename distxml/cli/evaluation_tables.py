"""A summary on the terminal."""

from rich.console import Console
from rich.table import Table

from distxml.evaluation.results import Aopc, AopcOverall, Metric, Summary

BETTER, WORSE = "+", "-"
AREAS = ("roc_auc", "average_precision")
TOO_FEW_ERRORS = "too few errors to tell"
"""In the place of an interval, where the classes are separated without an error or nearly so."""


def print_summary(summary: Summary, console: Console | None = None) -> None:
    """Metrics with intervals, then AOPC by patch size, method and fill."""
    console = console or Console()
    for line in _context(summary):
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    console.print(_metric_table(summary))
    if summary.aopc:
        console.print(_aopc_table(summary))
        console.print(_overall_table(summary))


def _context(summary: Summary) -> list[str]:
    scored = summary.scored
    lines = [f"scored {scored.checkpoint} ({scored.classifier}) on {summary.dataset_name}, split {summary.split}"]
    if not scored.training_finished:
        lines.append("note: training of this run is not finished; these are the numbers of an unfinished model")
    if summary.left_out_patch_sizes:
        sizes = ", ".join(map(str, summary.left_out_patch_sizes))
        lines.append(f"note: patch sizes larger than the image were left out: {sizes}")
    if summary.annotated < summary.images:
        lines.append(f"note: {summary.annotated} of {summary.images} images have a mask; POMPOM is over those")
    return lines


def _metric_table(summary: Summary) -> Table:
    table = Table("metric", title="Metrics", title_justify="left")
    for column in ("value", "95% interval", "images"):
        table.add_column(column, justify="right")
    for metric in summary.metrics:
        table.add_row(metric.name, _number(metric.value), _metric_interval(metric), str(metric.images))
    return table


def _aopc_table(summary: Summary) -> Table:
    fills = list(dict.fromkeys(row.fill for row in summary.aopc))
    table = Table("patch", "method", title=f"AOPC, {summary.curve_images} images", title_justify="left")
    for fill in fills:
        table.add_column(fill, justify="right")
    cells = {(row.patch_size, row.method, row.fill): _cell(summary, row) for row in summary.aopc}
    sizes = list(dict.fromkeys(row.patch_size for row in summary.aopc))
    methods = list(dict.fromkeys(row.method for row in summary.aopc))
    for size in sizes:
        for method in methods:
            table.add_row(str(size), method, *[cells[size, method, fill] for fill in fills])
        table.add_section()
    table.caption = _caption(summary)
    table.caption_justify = "left"
    return table


def _overall_table(summary: Summary) -> Table:
    settings = summary.aopc_overall[0].settings
    title = f"AOPC over all {settings} patch sizes and fills, {summary.curve_images} images"
    table = Table("method", title=title, title_justify="left")
    for column in ("AOPC", "95% interval"):
        table.add_column(column, justify="right")
    for row in summary.aopc_overall:
        table.add_row(row.method, _number(row.aopc), _interval(row))
    return table


def _caption(summary: Summary) -> str:
    marks = f"{BETTER} / {WORSE}: above / below the random order, 95% interval of the paired difference. "
    return (marks if summary.versus_random else "") + "Higher is better; do not compare different models."


def _cell(summary: Summary, row: Aopc) -> str:
    place = (row.method, row.patch_size, row.fill)
    found = [other for other in summary.versus_random if (other.method, other.patch_size, other.fill) == place]
    mark = " "
    if found and found[0].low > 0:
        mark = BETTER
    if found and found[0].high < 0:
        mark = WORSE
    return f"{round(row.aopc, 3) + 0.0:.3f} {mark}"  # no -0.000


def _metric_interval(metric: Metric) -> str:
    if metric.name in AREAS and metric.value is not None and metric.low is None:
        return TOO_FEW_ERRORS
    return _interval(metric)


def _interval(metric: Metric | AopcOverall) -> str:
    if metric.low is None:
        return ""
    return f"{metric.low:.4f} or more" if metric.high is None else f"{metric.low:.4f} to {metric.high:.4f}"


def _number(value: float | None) -> str:
    return "not defined" if value is None else f"{value:.4f}"
