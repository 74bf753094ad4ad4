"""What summaries on the terminal are made of: lines, compact tables, numbers and their intervals."""

from collections.abc import Iterable

from rich import box
from rich.console import Console
from rich.table import Table

from distxml.evaluation.digits import digits_apart


def show(context: Iterable[str], tables: Iterable[Table], remarks: Iterable[str], console: Console | None) -> None:
    """Lines on what the figures are of, the tables, and what has to be known to read them."""
    console = console or Console()
    for line in context:
        console.print(line, highlight=False, markup=False, soft_wrap=True)
    for table in tables:
        console.print(table)
        console.print()
    for line in remarks:
        console.print(line, highlight=False, markup=False)


def compact(*columns: str, title: str) -> Table:
    """A table without vertical lines, which leave no room for long names of methods."""
    table = Table(title=title, title_justify="left", caption_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.show_edge = table.pad_edge = False
    for column in columns:
        table.add_column(column, no_wrap=True)
    return table


def ends(low: float | None, high: float | None, digits: int = 4) -> str:
    """An interval, with so many digits that its ends differ; empty where it is unknown."""
    if low is None or high is None:
        return ""
    digits = digits_apart(low, high, digits)
    return f"{low:.{digits}f} to {high:.{digits}f}"


def number(value: float | None) -> str:
    """Four decimals, or that there is none."""
    return "not defined" if value is None else f"{value:.4f}"
