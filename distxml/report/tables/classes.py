"""Tables with one row per true class."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from distxml.config.evaluation import Method, Order
from distxml.evaluation.summary import Summary
from distxml.evaluation.summary_rows import ClassPart
from distxml.metrics.entry import IN_WORDS
from distxml.metrics.lookup import AOPC_IN_WORDS, BETTER_AOPC, metric_entry
from distxml.report.style import ORDER_NAMES, method_name, without
from distxml.report.tables.methods import CLEAR, difference_cell, metric_cell
from distxml.report.tables.table import NONE, Cell, NumberTable, TableRow
from distxml.report.wording import interval, number, size

CLASS_METRICS = ("accuracy", "classification", "pompom", "heat_mean", "heat_inside", "heat_outside")


def class_tables(summary: Summary) -> list[NumberTable]:
    """Metrics, then AOPC over all settings and the in-model differences by order, then POMPOM of equal area;
    those that hold any."""
    tables = [_metrics(summary)]
    for order in summary.settings.orders:
        tables += [_aopc(summary, order), _in_model_minus(summary, order)]
    tables.append(_pompom(summary))
    return [table for table in tables if any(cell != NONE for row in table.rows for cell in row.cells)]


def _metrics(summary: Summary) -> NumberTable:
    known = {metric.name for part in summary.by_class for metric in part.metrics}
    names = [name for name in CLASS_METRICS if name in known]

    def cells(part: ClassPart) -> list[Cell]:
        found = {metric.name: metric for metric in part.metrics}
        return [metric_cell(found.get(name)) for name in names]

    titles = ["Recall" if name == "accuracy" else metric_entry(name).title for name in names]
    about = (
        "Means over the n images of the true class that have the value, with 95% intervals: Wilson’s for the recall, "
        "Student’s, corrected for skewness, for the rest."
    )
    rows = [TableRow(part.class_name, cells(part), size(part.images, part.groups)) for part in summary.by_class]
    return NumberTable("Metrics by class", about, "True class", titles, rows)


def _by_method(
    summary: Summary, title: str, about: str, methods: Sequence[Method], cell: Callable[[ClassPart, Method], Cell]
) -> NumberTable:
    rows = [
        TableRow(
            part.class_name,
            [cell(part, method) for method in methods],
            f"perturbed: {size(part.curve_images, part.curve_groups)}",
        )
        for part in summary.by_class
    ]
    return NumberTable(title, about, "True class", [method_name(method) for method in methods], rows)


def _aopc(summary: Summary, order: Order) -> NumberTable:
    def cell(part: ClassPart, method: Method) -> Cell:
        found = {row.method: row for row in part.aopc_overall if row.order == order or row.method == "random"}
        row = found.get(method)
        return Cell(number(row.aopc), interval(row.low, row.high)) if row else NONE

    about = f"Over all patch sizes and fills, with 95% intervals; {AOPC_IN_WORDS[order]}."
    return _by_method(summary, f"AOPC by class, {ORDER_NAMES[order]}", about, summary.settings.methods, cell)


def _in_model_minus(summary: Summary, order: Order) -> NumberTable:
    def cell(part: ClassPart, method: Method) -> Cell:
        found = {(row.method, row.other, row.order): row for row in part.comparisons}
        return difference_cell(found.get(("in_model", method, order)))

    methods = without(summary.settings.methods, "in_model")
    about = (
        f"Over all patch sizes and fills, paired, image by image, with 95% intervals. {CLEAR} "
        f"In-model is the better one {'above' if BETTER_AOPC[order] == 'higher' else 'below'} 0."
    )
    title = f"In-model AOPC minus that of every other method, by class, {ORDER_NAMES[order]}"
    return _by_method(summary, title, about, methods, cell)


def _pompom(summary: Summary) -> NumberTable:
    def cell(part: ClassPart, method: Method) -> Cell:
        found = {row.method: row for row in part.heatmaps if row.name == "pompom_equal_area"}
        return metric_cell(found.get(method))

    methods, pompom = without(summary.settings.methods, "random"), metric_entry("pompom_equal_area")
    better = IN_WORDS[pompom.better].capitalize()
    about = f"{better}. Means over the n perturbed images that have the value, with 95% intervals."
    return _by_method(summary, f"{pompom.title} by class", about, methods, cell)


@dataclass(frozen=True)
class ConfusionRow:
    """A true class: how many images were predicted as each class, and their share of the row."""

    name: str
    counts: list[int]
    shares: list[float]


def confusion_rows(summary: Summary) -> list[ConfusionRow]:
    """The confusion matrix by true class."""
    return [
        ConfusionRow(name, list(counts), [count / max(1, sum(counts)) for count in counts])
        for name, counts in zip(summary.classes, summary.confusion, strict=True)
    ]
