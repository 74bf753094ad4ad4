"""A summary on the terminal."""

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table

from distxml.cli.console_tables import compact, ends, number, show
from distxml.config.evaluation import Method, Order
from distxml.evaluation.p_values import p_or_why
from distxml.evaluation.results import TABLE_NAME
from distxml.evaluation.summary import Summary
from distxml.evaluation.summary_rows import AREAS, Aopc, AopcOverall, Comparison, HeatmapMetric, HeatmapName, Metric
from distxml.evaluation.verdict import MIN_GROUPS
from distxml.metrics.lookup import AOPC_IN_WORDS, directions, metric_entry
from distxml.report.wording import counted, left_out_in_words, size

MARKS = {"better": "+", "worse": "-", "unclear": " "}
"""Of a verdict."""
TOO_FEW_ERRORS = "too few errors to tell"
"""In the place of an interval, where the classes are separated without an error."""
TOO_FEW_IMAGES = "too few to tell"
"""In its place where a class has too few images, or groups of them, or none but a few errors."""
ORDERS: dict[Order, str] = {
    "morf": f"most relevant patches first (MoRF); {AOPC_IN_WORDS['morf']}",
    "lerf": f"least relevant patches first (LeRF); {AOPC_IN_WORDS['lerf']}",
}
HEATMAP_COLUMNS: tuple[HeatmapName, ...] = ("pompom_equal_area", "energy_inside", "pointing")
ONE_MODEL = "Of this one trained model; of its training: `distxml evaluate RUN RUN RUN`."
"""What the figures speak of."""
SECOND_LOOK = "which backs it or casts doubt on it, and is no finding alone"
"""Of the primary comparison under the other gate: two p-values, neither adjusted for there being two."""
MAX_ROWS = 40
"""A table of all patch sizes is shown up to this many rows."""


def print_summary(summary: Summary, console: Console | None = None) -> None:
    """Metrics with intervals, the heatmaps and the masks, then AOPC by order."""
    show(_context(summary), _tables(summary), _remarks(summary), console)


def _tables(summary: Summary) -> Iterator[Table]:
    yield _metric_table(summary)
    if any(row.images for row in summary.heatmaps):
        yield _heatmap_table(summary)
    orders: list[Order] = list(dict.fromkeys(row.order for row in summary.aopc_overall))
    for order in orders:
        if len(summary.settings.fills) > 1:
            yield _fill_table(summary, order)
        yield _overall_table(summary, order)
        if len(_rows(summary, order)) <= MAX_ROWS:
            yield _setting_table(summary, order)


def _context(summary: Summary) -> list[str]:
    scored = summary.scored
    lines = [f"scored {scored.checkpoint} ({scored.classifier}) on {summary.dataset_name}, split {summary.split}"]
    if scored.explainer_checkpoint != scored.checkpoint:
        lines.append(f"in-model heatmaps are those of {scored.explainer_checkpoint}")
    if not scored.training_finished:
        lines.append("note: training of this run is not finished; these are the numbers of an unfinished model")
    if summary.left_out_patch_sizes:
        lines.append(f"note: {left_out_in_words(summary.left_out_patch_sizes, summary.settings)}")
    if summary.groups is None:
        lines.append("note: the dataset names no groups (patients): images are taken as independent")
    if summary.annotated < summary.images:
        lines.append(f"note: {summary.annotated} of {summary.images} images have a mask; POMPOM is over those")
    return lines


def _remarks(summary: Summary) -> list[str]:
    """What has to be known to read the tables of AOPC."""
    if not summary.aopc:
        return []
    lines: list[str] = []
    if summary.comparisons:
        lines += [_primary(summary), ONE_MODEL]
        lines.append(
            "Better, worse, + and -: than the random order, p below 0.05 (adjusted for the number of all comparisons "
            "but the primary one) and 0 outside the interval. "
            "Each interval is of 95% by itself. Wins: share of the images on which in_model is the better one."
        )
    if (summary.curve_groups or summary.curve_images) < MIN_GROUPS:
        things = "images" if summary.curve_groups is None else "groups"
        lines.append(f"Fewer than {MIN_GROUPS} {things}: too few to call any difference clear, or for most intervals.")
    if any(len(_rows(summary, row.order)) > MAX_ROWS for row in summary.aopc):
        lines.append(f"Each patch size and fill: {TABLE_NAME}, or `distxml report`.")
    if summary.settings.share_limit is None:
        lines.append("Curves run patch by patch: do not compare patch sizes, which replace unequal shares of an image.")
    if len(summary.settings.fills) > 1:
        lines.append("Each fill asks a question of its own; their mean is a mean of different questions.")
    return [*lines, "Do not compare the AOPC of different models."]


def _primary(summary: Summary) -> str:
    wanted, row = summary.settings.primary, summary.primary
    if row is None:
        return f"No primary comparison: {wanted.method} minus {wanted.other}, {wanted.in_words()}, was not computed."
    late = "" if summary.primary_is_of_recipe else "; not as the run's recipe names it"
    under = summary.primary_under_other_gate
    beside = f" Under {under.f}, {SECOND_LOOK}: {_outcome(under.comparison)}." if under else ""
    return (
        f"Primary comparison: {row.method} minus {row.other}, {row.order}, {wanted.in_words()}: {_outcome(row)}{late}."
        f"{beside}"
    )


def _outcome(row: Comparison) -> str:
    found = ", ".join(filter(None, (ends(row.low, row.high), p_or_why(row))))
    return f"{row.difference:+.4f}{f' ({found})' if found else ''}, {row.verdict}"


def _metric_table(summary: Summary) -> Table:
    table = Table("metric", title="Metrics", title_justify="left")
    for column in ("value", "95% interval", "images"):
        table.add_column(column, justify="right")
    if summary.groups is not None:
        table.add_column("groups", justify="right")
    for metric in summary.metrics:
        groups = [] if metric.groups is None else [str(metric.groups)]
        table.add_row(metric.name, number(metric.value), _metric_interval(metric), str(metric.images), *groups)
    return table


def _heatmap_table(summary: Summary) -> Table:
    cells = {(row.method, row.name): row for row in summary.heatmaps}
    images = max(row.images for row in summary.heatmaps)
    table = compact("method", title=f"Heatmaps and masks, up to {counted(images, 'image')}: means and 95% intervals")
    for name in HEATMAP_COLUMNS:
        table.add_column(metric_entry(name).title, justify="right")
    for method in dict.fromkeys(row.method for row in summary.heatmaps):
        table.add_row(method, *[_heatmap_cell(cells[method, name]) for name in HEATMAP_COLUMNS])
    table.caption = directions(HEATMAP_COLUMNS)
    return table


def _fill_table(summary: Summary, order: Order) -> Table:
    fills = list(dict.fromkeys(row.fill for row in summary.aopc))
    table = compact(
        "method",
        title=f"AOPC at each fill, over all patch sizes, {_perturbed(summary)}\n{ORDERS[order]}",
    )
    for fill in fills:
        table.add_column(fill, justify="right")
    rows = [{row.method: row for row in summary.overall(order, fill)} for fill in fills]
    for method in rows[0]:
        table.add_row(method, *[_cell(summary, row[method], order) for row in rows])
    return table


def _overall_table(summary: Summary, order: Order) -> Table:
    rows = summary.overall(order)
    what = f"AOPC, mean over all {rows[0].settings} patch sizes and fills"
    table = compact("method", title=f"{what}, {_perturbed(summary)}\n{ORDERS[order]}")
    for column in ("AOPC", "95% interval", "x random"):
        table.add_column(column, justify="right")
    table.add_column("vs random")
    table.add_column("wins", justify="right")
    for row in rows:
        beside = (_verdict(summary, row.method, order), _lost(summary, row.method, order))
        times = "" if row.times_random is None else f"{row.times_random:.2f}"
        table.add_row(row.method, number(row.aopc), ends(row.low, row.high, digits=3), times, *beside)
    return table


def _setting_table(summary: Summary, order: Order) -> Table:
    rows = _rows(summary, order)
    table = compact("patch", "method", title=f"AOPC, {_perturbed(summary)}\n{ORDERS[order]}")
    for fill in dict.fromkeys(row.fill for row in summary.aopc):
        table.add_column(fill, justify="right")
    for patch_size in dict.fromkeys(patch_size for patch_size, _ in rows):
        of_size = [(method, cells) for (other, method), cells in rows.items() if other == patch_size]
        for place, (method, cells) in enumerate(of_size):
            table.add_row("" if place else str(patch_size), method, *[_cell(summary, row, order) for row in cells])
        table.add_section()
    return table


def _rows(summary: Summary, order: Order) -> dict[tuple[int, Method], list[Aopc]]:
    """The fills of each patch size and method of an order; a random order stands for both."""
    rows: dict[tuple[int, Method], list[Aopc]] = {}
    for row in summary.aopc:
        if order == row.order or row.method == "random":
            rows.setdefault((row.patch_size, row.method), []).append(row)
    return rows


def _cell(summary: Summary, row: Aopc | AopcOverall, order: Order) -> str:
    patch_size = row.patch_size if isinstance(row, Aopc) else None
    with_random = summary.comparison(row.method, "random", order, patch_size, row.fill)
    mark = MARKS[with_random.verdict] if with_random else " "
    return f"{round(row.aopc, 3) + 0.0:.3f} {mark}"  # no -0.000


def _perturbed(summary: Summary) -> str:
    return size(summary.curve_images, summary.curve_groups)


def _verdict(summary: Summary, method: Method, order: Order) -> str:
    with_random = summary.comparison(method, "random", order)
    return with_random.verdict if with_random else ""


def _lost(summary: Summary, method: Method, order: Order) -> str:
    """Share of the images on which the in-model heatmap beats the method."""
    with_method = summary.comparison("in_model", method, order)
    return f"{with_method.wins:.0%}" if with_method else ""


def _heatmap_cell(row: HeatmapMetric) -> str:
    if row.value is None:
        return "not defined"
    spread = "" if row.low is None or row.high is None else f" {_short(row.low)}-{_short(row.high)}"
    return f"{row.value:.3f}{spread}"


def _short(share: float) -> str:
    """Two decimals of a share, `.07`."""
    return f"{share:.2f}".removeprefix("0") if share < 1 else "1"


def _metric_interval(metric: Metric) -> str:
    if metric.name in AREAS and metric.value is not None and metric.low is None:
        return TOO_FEW_ERRORS if metric.value == 1 else TOO_FEW_IMAGES
    return _interval(metric)


def _interval(metric: Metric) -> str:
    if metric.low is not None and metric.high is None:
        return f"{metric.low:.4f} or more"
    return ends(metric.low, metric.high)
