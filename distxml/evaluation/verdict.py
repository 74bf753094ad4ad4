"""Whether a difference is more than chance: the level, the smallest number of groups, and the verdict."""

from typing import Literal

from distxml.metrics.entry import Better

MIN_GROUPS = 6
"""Fewer independent groups (patients, or images where none has a group) have no interval (but Wilson's) and no verdict:
below, no procedure that was tried keeps what it promises (`benchmarks/coverage.py`)."""
LEVEL = 0.05
"""Share of errors of an interval or a test: intervals are of 95%."""
SAME = 1e-6
"""AOPC that differ by no more are equal: f of one x(k) differs by rounding with its place in a batch."""
Verdict = Literal["better", "worse", "unclear"]


def verdict(p: float | None, low: float | None, high: float | None, difference: float, better: Better) -> Verdict:
    """By the p-value; never against the difference's own interval, and never for what rounding may have made."""
    if p is None or p >= LEVEL or abs(difference) <= SAME:
        return "unclear"
    if low is None or high is None or low <= 0 <= high:
        return "unclear"
    return "better" if (difference > 0) == (better == "higher") else "worse"
