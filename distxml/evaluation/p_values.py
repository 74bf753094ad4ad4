"""p-values in words, as the terminal and the page write them."""

from distxml.evaluation.summary_rows import Comparison, OrderGap
from distxml.evaluation.verdict import LEVEL


def p_value(p: float | None) -> str:
    """`p = 0.012` or `p < 0.001`, never on the wrong side of the level; empty where there is none."""
    if p is None:
        return ""
    if p < 0.001:
        return "p < 0.001"
    digits = 3
    while (p < LEVEL) != (float(f"{p:.{digits}f}") < LEVEL):
        digits += 1
    return f"p = {p:.{digits}f}"


def p_or_why(row: Comparison | OrderGap) -> str:
    """The p-value, or why an interval has none beside it."""
    if row.p is None and row.low is not None:
        return "not tested: too few differ"
    return p_value(row.p)
