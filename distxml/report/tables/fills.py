"""Tables with one row per method and one column per fill, over all patch sizes; each fill asks its own question."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from distxml.config.evaluation import Fill, Method, Order
from distxml.evaluation.summary import Summary
from distxml.metrics.lookup import AOPC_IN_WORDS, BETTER_AOPC
from distxml.report.style import ORDER_NAMES, ORDER_WORDS, method_name, without
from distxml.report.tables.methods import CLEAR, difference_cell
from distxml.report.tables.table import NONE, Cell, NumberTable, TableRow
from distxml.report.verdict import outcome_tiles, ranked, several_fills
from distxml.report.wording import interval, number

CellOf = Callable[[Method, Fill], Cell]


def fill_tables(summary: Summary, order: Order) -> list[NumberTable]:
    """AOPC at every fill, minus that of a random order, and in-model minus it; none where there is one fill."""
    if not several_fills(summary):
        return []
    tables = [_aopc(summary, order), _minus_random(summary, order), _in_model_minus(summary, order)]
    return [table for table in tables if table.rows and table.columns]


def outcome_table(summary: Summary, order: Order) -> NumberTable | None:
    """At each fill, how many methods came out how; None where there is one fill, or nothing was compared."""
    found = {fill: outcome_tiles(summary, order, fill) for fill in several_fills(summary)}
    if not any(found.values()):
        return None
    rows = [TableRow(fill, [Cell(tile.value, tile.note) for tile in tiles]) for fill, tiles in found.items()]
    columns = [tile.name for tile in next(iter(found.values()))]
    title = f"At each fill, over all patch sizes, {ORDER_WORDS[order]} ({ORDER_NAMES[order]})"
    return NumberTable(title, "", "Fill", columns, rows)


@dataclass(frozen=True)
class _Words:
    """What a table says of itself."""

    title: str
    about: str


def _by_fill(summary: Summary, order: Order, words: _Words, methods: Sequence[Method], cell: CellOf) -> NumberTable:
    fills = several_fills(summary)
    rows = [
        TableRow(method_name(method), [cell(method, fill) for fill in fills], own=method == "in_model")
        for method in methods
    ]
    table = NumberTable(f"{words.title}, {ORDER_NAMES[order]}", words.about, "Method", fills, rows)
    return table.without_empty_columns()


def _methods(summary: Summary, order: Order) -> list[Method]:
    """The best over all settings first."""
    return [row.method for row in ranked(summary, order)]


def _aopc(summary: Summary, order: Order) -> NumberTable:
    found = {(row.method, fill): row for fill in summary.settings.fills for row in summary.overall(order, fill)}

    def cell(method: Method, fill: Fill) -> Cell:
        row = found[method, fill]
        return Cell(number(row.aopc), interval(row.low, row.high))

    about = f"Mean over the patch sizes, with 95% intervals; {AOPC_IN_WORDS[order]}."
    return _by_fill(summary, order, _Words("AOPC at each fill", about), _methods(summary, order), cell)


def _minus_random(summary: Summary, order: Order) -> NumberTable:
    return _differences(summary, order, "AOPC minus that of a random order, at each fill", "random")


def _in_model_minus(summary: Summary, order: Order) -> NumberTable:
    return _differences(summary, order, "In-model AOPC minus that of every other method, at each fill", "in_model")


def _differences(summary: Summary, order: Order, title: str, reference: Method) -> NumberTable:
    def cell(method: Method, fill: Fill) -> Cell:
        pair = (method, reference) if reference == "random" else (reference, method)
        row = summary.comparison(*pair, order, fill=fill)
        return NONE if row is None else difference_cell(row)

    better = "above" if BETTER_AOPC[order] == "higher" else "below"
    about = f"Mean over the patch sizes, paired, image by image, with 95% intervals; better {better} 0. {CLEAR}"
    methods = without(_methods(summary, order), reference)
    return _by_fill(summary, order, _Words(title, about), methods, cell)
